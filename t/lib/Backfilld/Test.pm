package Backfilld::Test;

# A daemon of the test's own: in a temporary directory, on a free port, with
# its own socket.  The model of a test:
#
#	use Backfilld::Test;
#
#	my $daemon = Backfilld::Test->new(settings => { max_workers => 2 });
#	$daemon->start;
#	my $id = $daemon->trigger('did-sync', did => $did);
#	is $daemon->wait_finished($id)->{status}, 'completed', 'it completes';
#	$daemon->finish;
#	done_testing;
#
# BF_TEST_KEEP=1 keeps the directory.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Path ();
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Test::More;

use Backfilld::Process qw(wait_for spawn proc_children proc_group proc_name
	proc_fds proc_rss_kib proc_state is_alive);

our @EXPORT = qw(wait_for proc_children proc_name proc_fds proc_rss_kib proc_state
	is_alive);

our $BUILDDIR = $ENV{BF_BUILDDIR} || Cwd::getcwd();
our $SRCDIR = $ENV{BF_SRCDIR} || Cwd::getcwd();
our $PASSWORD = 'correct horse';
our $AUTHORITY = 'pub.chive.admin';

# Long enough for a start under sanitizers on a busy machine.
use constant START_SECONDS => 30;
use constant STOP_SECONDS => 30;

my @daemons;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# settings => {name => value}: rows for the configuration file, over the
# test's defaults.  net => a Backfilld::Net or Backfilld::FakePDS: its directory
# is used.  sections => text at the end of the file.  The daemon is not started yet.
sub new {
	my ($class, %options) = @_;
	my $dir = File::Temp::tempdir('backfilld-t-XXXXXX', TMPDIR => 1);
	my $self = bless {
		dir => $dir,
		conf => "$dir/backfilld.conf",
		log => "$dir/log",
		socket => "$dir/run/control.sock",
		settings => {
			state_dir => "$dir/state",
			runtime_dir => "$dir/run",
			libexec_dir => $BUILDDIR,
			log_level => 'debug',
			hello_timeout_ms => 60_000,	# a machine full of tests is slow
			http_listen => '127.0.0.1:0',
			admin_password => $PASSWORD,
			allow_private_addresses => 'true',
			allow_plain_http => 'true',
			plc_directory => $options{net} ? $options{net}->plc_url
				: 'http://127.0.0.1:9',
			%{ $options{settings} || {} },
		},
		sections => $options{sections} // '',
		expected => [],
	}, $class;
	mkdir "$dir/$_", 0700 or die "$dir/$_: $!" for qw(state run);
	$self->write_conf;
	push @daemons, $self;
	return $self;
}

# Change settings in the file; takes effect at the next start or reload.
sub set {
	my ($self, %settings) = @_;
	$self->{settings}{$_} = $settings{$_} for keys %settings;
	$self->write_conf;
}

sub write_conf {
	my ($self) = @_;
	open my $file, '>', $self->{conf} or die "$self->{conf}: $!";
	chmod 0600, $self->{conf};
	for my $name (sort keys %{ $self->{settings} }) {
		my $value = $self->{settings}{$name};
		my @items = map { s/(["\\])/\\$1/gr } ref $value ? @$value : $value;
		my $text = join ', ', map { qq("$_") } @items;
		print $file ref $value ? "$name = {$text}\n" : "$name = $text\n";
	}
	print $file $self->{sections};
	close $file or die "$self->{conf}: $!";
}

# Start it and wait until the API answers; env: {variable => value} for it alone.
sub start {
	my ($self, %options) = @_;
	my $env = $options{env} || {};
	local @ENV{ keys %$env } = values %$env;
	unlink "$self->{dir}/run/http.address";
	$self->{pid} = spawn([$self->{binary} // "$BUILDDIR/backfilld", '-c', $self->{conf}],
		stdout => $self->{log}, stderr => $self->{log});
	wait_for {
		die "backfilld ended at its start:\n" . $self->log if $self->has_ended;
		$self->{address} = $self->http_address
			and $self->get('/xrpc/_health')->{status} == 200
	} START_SECONDS, 'backfilld to start';
	return $self;
}

# Run the daemon's binary to its end, for what it prints: {status, out}.
sub run_backfilld {
	my ($self, @args) = @_;
	return capture("$BUILDDIR/backfilld", @args);
}

sub http_address {
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/run/http.address" or return;
	my $line = <$file> // return;
	chomp $line;
	return $line;
}

sub pid { return $_[0]{pid} }
sub dir { return $_[0]{dir} }
sub socket { return $_[0]{socket} }
sub url { return "http://$_[0]{address}" }

# True once it has ended; its status, in the form of $?, is in {exit} then.
sub has_ended {
	my ($self) = @_;
	return 1 if !defined $self->{pid};
	return 0 if waitpid($self->{pid}, POSIX::WNOHANG()) <= 0;
	$self->{exit} = $?;
	delete $self->{pid};
	return 1;
}

sub signal {
	my ($self, $signal) = @_;
	kill $signal, $self->{pid} or die "kill $signal $self->{pid}: $!";
}

# The daemon alone is killed, as by the out-of-memory killer.  Returns its
# process group, whose members should end by themselves.
sub kill_hard {
	my ($self) = @_;
	my $group = $self->{pid};

	$self->signal('KILL');
	wait_for { $self->has_ended } STOP_SECONDS, 'backfilld to die';
	return $group;
}

# SIGTERM, wait, and check what a clean end is: status 0, nobody left.
sub stop {
	my ($self) = @_;
	my $group = $self->{pid} // return;

	$self->signal('TERM');
	wait_for { $self->has_ended } STOP_SECONDS, 'backfilld to stop';
	is $self->{exit}, 0, 'backfilld exits with status 0';
	wait_for { !proc_group($group) } STOP_SECONDS, 'the children to end';
	Backfilld::Process::forget_group($group);
}

# End of a test: stopped cleanly, and a log without unexpected errors.
sub finish {
	my ($self) = @_;
	$self->stop;
	my @errors = $self->unexpected_errors;
	ok !@errors, 'no unexpected error in the log' or diag @errors;
	$self->{is_finished} = 1;
}

# This pattern in an error line is what the test is about.
sub expect_error {
	my ($self, $pattern) = @_;
	push @{ $self->{expected} }, $pattern;
}

sub unexpected_errors {
	my ($self) = @_;
	return grep {
		my $line = $_;
		($line =~ /^<[0-3]>/ && !grep { $line =~ $_ } @{ $self->{expected} })
			|| $line =~ /Sanitizer|runtime error:|Assertion .* failed/
	} map { "$_\n" } split /\n/, $self->log;
}

sub log {
	my ($self) = @_;
	open my $file, '<', $self->{log} or return '';
	local $/;
	return <$file> // '';
}

# Wait until a line of the log matches; returns what the pattern captured.
sub wait_log {
	my ($self, $pattern, $seconds) = @_;
	my @found;
	wait_for { @found = $self->log =~ $pattern } $seconds || 60,
		"the log to say $pattern";
	return wantarray ? @found : $found[0];
}

# Sanitizers need all addresses: limits of memory mean something else then.
sub is_sanitized {
	open my $config, '<', "$BUILDDIR/config.h" or return 0;
	return scalar grep { /^#define BF_SANITIZED/ } <$config>;
}

# The pids of the daemon's children of that name: 'did-sync',
# 'backfill-indexer', 'backfill-resolver', 'backfill-api'.
sub children {
	my ($self, $name) = @_;
	return proc_children($self->{pid}, $name);
}

sub wait_child {
	my ($self, $name) = @_;
	my @pids;
	wait_for { @pids = grep { is_alive($_) } $self->children($name) } 60,
		"a process $name";
	return $pids[0];
}

# --- HTTP ---

# {status, headers, content, json}.  Options: body (a structure becomes JSON, a
# string stays), as => [user, password] or '' for no authentication, headers.
sub request {
	my ($self, $method, $path, %options) = @_;
	my %headers = %{ $options{headers} || {} };
	my $as = $options{as} // ['admin', $PASSWORD];
	my $body = $options{body};

	$headers{authorization} = 'Basic ' . MIME::Base64::encode(join(':', @$as), '')
		if ref $as;
	if (ref $body) {
		$body = $json->encode($body);
		$headers{'content-type'} //= 'application/json';
	}
	my $response = HTTP::Tiny->new(timeout => 60)->request($method,
		$self->url . $path,
		{ headers => \%headers, defined $body ? (content => $body) : () });
	$response->{json} = eval { $json->decode($response->{content}) };
	return $response;
}

sub get {
	my ($self, $path, %options) = @_;
	return $self->request('GET', $path, %options);
}

# A method of our authority by its last word: xrpc_get('getBackfillStatus',
# {id => $id}), xrpc_post('triggerBackfill', {type => 'didSync', did => $did}).
sub xrpc_get {
	my ($self, $method, $params, %options) = @_;
	my $query = HTTP::Tiny->new->www_form_urlencode($params || {});
	return $self->get("/xrpc/$AUTHORITY.$method" . ($query && "?$query"), %options);
}

sub xrpc_post {
	my ($self, $method, $body, %options) = @_;
	return $self->request('POST', "/xrpc/$AUTHORITY.$method", body => $body, %options);
}

# --- operations ---

# Start an operation through the API; dies if that is refused.
sub trigger {
	my ($self, $type, %params) = @_;
	my $response = $self->xrpc_post('triggerBackfill', { type => $type, %params });
	die "triggerBackfill: $response->{status} $response->{content}"
		if $response->{status} != 200;
	return $response->{json}{operation}{id};
}

# The operation as the API tells it; undef if it has none of that id.
sub operation {
	my ($self, $id) = @_;
	return ($self->xrpc_get('getBackfillStatus', { id => $id })->{json} || {})->{operation};
}

# Wait until the block, which gets the operation, is true; returns the operation.
sub wait_operation {
	my ($self, $id, $condition, $what, $seconds) = @_;
	my $operation;
	wait_for {
		$operation = $self->operation($id) and $condition->($operation)
	} $seconds || 60, "operation $id $what";
	return $operation;
}

sub wait_status {
	my ($self, $id, $status, $seconds) = @_;
	return $self->wait_operation($id, sub { $_[0]{status} eq $status },
		"to be $status", $seconds);
}

sub wait_finished {
	my ($self, $id, $seconds) = @_;
	return $self->wait_operation($id,
		sub { $_[0]{status} =~ /^(completed|failed|cancelled)$/ },
		'to finish', $seconds);
}

# --- backfillctl ---

# {status, out, err, json}: json is what --json printed, lines is the list of
# objects when it printed several.
sub ctl {
	my ($self, @args) = @_;
	my $result = capture("$BUILDDIR/backfillctl", '-s', $self->{socket}, '--json',
		@args);
	$result->{json} = eval { $json->decode($result->{out}) };
	$result->{lines} = [ map { eval { $json->decode($_) } // () }
		split /\n/, $result->{out} ];
	return $result;
}

# The index, or what the options of backfillctl records choose of it:
# [{uri, cid, value}].
sub records {
	my ($self, @args) = @_;
	my $result = $self->ctl('records', @args);
	die "backfillctl records: $result->{status} $result->{err}"
		if $result->{status} != 0;
	return $result->{lines};
}

# Run a program to its end: {status, out, err}.  The status is its exit status,
# or 'SIG9' if a signal ended it.
sub capture {
	my (@argv) = @_;
	my ($out, $err) = map { File::Temp->new } 1 .. 2;
	my $pid = spawn(\@argv, stdout => "$out", stderr => "$err");

	waitpid $pid, 0;
	my $status = $? & 127 ? 'SIG' . ($? & 127) : $? >> 8;
	Backfilld::Process::forget_group($pid);
	local $/;
	return { status => $status, out => <$out> // '', err => <$err> // '' };
}

# What is left of a daemon when its test ends, well or not.
sub clean_up {
	my ($self) = @_;
	if (defined $self->{pid}) {
		kill 'KILL', -$self->{pid};
		waitpid $self->{pid}, 0;
	}
	if (!Test::More->builder->is_passing || !$self->{is_finished}) {
		diag "$self->{log} ends with:\n", join "\n", tail($self->log);
	}
	if ($ENV{BF_TEST_KEEP}) {
		diag "kept: $self->{dir}";
	} else {
		File::Path::remove_tree($self->{dir});
	}
}

sub tail {
	my @lines = split /\n/, $_[0];
	return @lines > 40 ? @lines[-40 .. -1] : @lines;
}

END {
	my $status = $?;
	$_->clean_up for @daemons;
	$? = $status;
}

1;
