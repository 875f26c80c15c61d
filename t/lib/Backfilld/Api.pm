package Backfilld::Api;

# backfill-api with a test in the supervisor's place: the test gets what the API
# sends over fd 3 and decides what it hears.  operations/ is filled by the
# program t/unit/fill_ops.

use strict;
use warnings;
use Cwd ();
use Fcntl ();
use File::Path ();
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use IPC::Open2 ();
use MIME::Base64 ();
use POSIX ();
use Socket ();
use Test::More;

use Backfilld::Frames;
use Backfilld::Process qw(wait_for);
use Backfilld::RawHttp;

our $BUILDDIR = $ENV{BF_BUILDDIR} || Cwd::getcwd();
our $PASSWORD = 'correct horse';

my @all;

# settings => {name => value}
sub new {
	my ($class, %options) = @_;
	my $dir = File::Temp::tempdir('backfilld-t-XXXXXX', TMPDIR => 1);
	mkdir "$dir/$_", 0700 or die "$dir/$_: $!" for qw(operations run);
	my $self = bless {
		dir => $dir, log => "$dir/log",
		settings => { state_dir => $dir, runtime_dir => "$dir/run",
			admin_password => $PASSWORD, log_level => 'debug',
			%{ $options{settings} || {} } },
	}, $class;
	push @all, $self;
	$self->fill;		# the environment exists before the API opens it
	return $self;
}

# Run commands of fill_ops; returns what it prints, a line each.
sub fill {
	my ($self, @commands) = @_;
	return filled('fill_ops', "$self->{dir}/operations", @commands);
}

# Make records/, with commands of fill_records.
sub fill_records {
	my ($self, @commands) = @_;
	mkdir "$self->{dir}/records", 0700 or die "$self->{dir}/records: $!";
	return filled('fill_records', "$self->{dir}/records", @commands);
}

sub filled {
	my ($program, $dir, @commands) = @_;
	my $pid = IPC::Open2::open2(my $out, my $in, "$BUILDDIR/t/unit/$program", $dir);
	print $in "$_\n" for @commands;
	close $in;
	chomp(my @lines = <$out>);
	waitpid $pid, 0;
	die "$program: $?" if $?;
	return @lines;
}

sub spawn {
	my ($self) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
		Listen => 128, ReuseAddr => 1) or die "listen: $@";
	socketpair my $ours, my $theirs, Socket::AF_UNIX(), Socket::SOCK_STREAM(), 0
		or die "socketpair: $!";
	my $pid = fork;
	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		open STDERR, '>>', $self->{log};
		my ($control, $http) = map { fcntl($_, Fcntl::F_DUPFD(), 10) }
			$theirs, $listener;
		POSIX::dup2($control, 3);
		POSIX::dup2($http, 4);
		POSIX::close($_) for 5 .. 30;
		$SIG{$_} = 'DEFAULT' for qw(INT TERM ALRM PIPE);
		exec { "$BUILDDIR/backfill-api" } 'backfill-api' or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$self->{channel} = $ours;
	$self->{peer} = Backfilld::Frames->new($ours);
	$self->{address} = '127.0.0.1:' . $listener->sockport;
	close $theirs;
	close $listener;
	return $self;
}

# What a supervisor says first.
sub greet {
	my ($self) = @_;
	$self->tell('setting', name => $_, value => $self->{settings}{$_})
		for sort keys %{ $self->{settings} };
	$self->tell('hello', version => Backfilld::Frames::version(), program => 'backfilld', pid => $$);
}

# Start it, with settings and hello, and wait until it answers.
sub start {
	my ($self) = @_;
	$self->spawn;
	is $self->expect('hello')->{program}, 'backfill-api', 'the API says hello';
	$self->greet;
	$self->{watch} = $self->expect('watch_all')->{req};
	is $self->get('/livez', as => '')->{status}, 200, 'the API answers';
	return $self;
}

# --- fd 3 ---

sub tell {
	my ($self, $name, %values) = @_;
	local $SIG{PIPE} = 'IGNORE';
	return $self->{peer}->send($name, %values);
}

# The next message, which has to be of this name.
sub expect {
	my ($self, $name) = @_;
	die "no message from the API in time\n" if $self->is_silent(20);
	my $msg = $self->{peer}->receive or die "the API closed fd 3\n";
	# What the kernel gives of its confinement is told at its start.
	return $self->expect($name) if $msg->{msg} eq 'confined';
	die "$msg->{msg} came instead of $name\n" if $msg->{msg} ne $name;
	return $msg;
}

# The supervisor is gone.
sub hang_up {
	my ($self) = @_;
	close $self->{channel};
}

sub is_silent {
	my ($self, $seconds) = @_;
	return length $self->{peer}{in} == 0
		&& !IO::Select->new($self->{channel})->can_read($seconds // 0);
}

# Nothing has been said to the supervisor, for so many seconds; what it tells of its
# confinement, soon after its start, does not count.
sub heard_nothing {
	my ($self, $seconds) = @_;
	while (!$self->is_silent($seconds)) {
		my $msg = $self->{peer}->receive or return 0;
		return 0 if $msg->{msg} ne 'confined';
	}
	return 1;
}

# --- HTTP ---

sub connect { return Backfilld::RawHttp->new($_[0]{address}) }

sub authorization {
	my ($user, $password) = @_;
	return 'Basic ' . MIME::Base64::encode("$user:$password", '');
}

# Options: as => [user, password] or '', headers, body.  The connection, which
# has not been answered yet.
sub ask {
	my ($self, $method, $path, %options) = @_;
	my $as = $options{as} // ['admin', $PASSWORD];
	my %headers = %{ $options{headers} || {} };
	my $body = $options{body};

	$headers{Authorization} = authorization(@$as) if ref $as;
	if (ref $body) {
		$body = JSON::PP->new->utf8->canonical->encode($body);
		$headers{'Content-Type'} //= 'application/json';
	}
	my $connection = $options{on} || $self->connect;
	$connection->ask($method, $path, \%headers, $body);
	return $connection;
}

sub get {
	my ($self, $path, %options) = @_;
	return $self->ask('GET', $path, %options)->answer;
}

sub post {
	my ($self, $path, $body, %options) = @_;
	return $self->ask('POST', $path, body => $body, %options)->answer;
}

# --- its end ---

sub log {
	my ($self) = @_;
	open my $file, '<', $self->{log} or return '';
	local $/;
	return <$file> // '';
}

# Wait for its end; the exit status, in the form of $?.
sub wait_exit {
	my ($self) = @_;
	my $status;

	wait_for {
		waitpid($self->{pid}, POSIX::WNOHANG()) > 0 and do { $status = $?; 1 }
	} 40, 'backfill-api to end';
	delete $self->{pid};
	return $status;
}

sub finish {
	my ($self) = @_;
	kill 'TERM', $self->{pid};
	is $self->wait_exit, 0, 'SIGTERM: the API exits with status 0';
	unlike $self->log, qr/Sanitizer|runtime error:|Assertion/, 'no sanitizer report';
}

END {
	my $status = $?;
	for my $self (@all) {
		if ($self->{pid}) {
			kill 'KILL', $self->{pid};
			waitpid $self->{pid}, 0;
		}
		diag $self->log if $status || !Test::More->builder->is_passing;
		File::Path::remove_tree($self->{dir}) unless $ENV{BF_TEST_KEEP};
	}
	$? = $status;
}

1;
