# A worker that was taken over cannot do what it tries, and the record of its
# operation tells what that was (F19 to F21, and what the kernel has for it).

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use File::Temp;
use Test::More;

use Backfilld::NullOp;
use Backfilld::Test;

my $libexec = libexec_for_all('hostile');

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => $libexec, max_workers => 8, worker_cpu_secs => 1,
	worker_memory_bytes => 268435456, cancel_grace_ms => 2000,
	$> == 0 ? (worker_user => 'nobody') : (),
});
chmod 0711, $daemon->dir;	# the way to the daemon's files, for whom it may concern
$daemon->expect_error(qr/is forbidden to a worker|out of memory/);
$daemon->start;

my $sanitized = is_sanitized();
my $count = 0;

# What the worker tries; returns its operation.
sub try {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => "did:web:$what.n" . ++$count . '.test');
	return $daemon->wait_finished($id);
}

# What the worker said of it: {passwd => 'Permission denied'}.
sub said {
	my ($operation) = @_;
	my $log = $daemon->log;
	return { $log =~ /op $operation->{id} worker \d+: ([\w ]+): (.*)$/mg };
}

# What the kernel lacks is not tested, and said to be lacking.
my %active = map { $_ => $daemon->log !~ /containment: $_ cannot be taken/ }
	'files', 'system calls', 'network';

SKIP: {
	skip 'no Landlock here', 1 unless $active{files};
	subtest 'files of others' => sub {
		my $said = said(try('read-outside'));
		is $said->{passwd}, 'Permission denied', 'cannot be read';
		is $said->{root}, 'Permission denied', 'cannot be listed';
		like $said->{supervisor}, qr/denied|No such file/, 'nor can what processes have';
		is $said->{hosts}, 'done', 'the resolver can do its work';
	};
}

SKIP: {
	skip 'no seccomp here', 3 unless $active{'system calls'};
	subtest 'files cannot be made or removed' => sub {
		my $said = said(try('write-outside'));
		like $said->{write}, qr/not permitted|denied/, 'made';
		like $said->{unlink}, qr/not permitted|denied/, 'removed';
		ok !-e '/tmp/backfilld-hostile-was-here', 'there is none';
	};
	subtest 'sockets are for servers' => sub {
		my $said = said(try('packets'));
		is $said->{'packet socket'}, 'Operation not permitted', 'none for packets';
		is $said->{'stream socket'}, 'done', 'one for a server';
	};
	subtest 'what only an attacker does' => sub {
		my %call = (fork => 'clone', exec => 'execve', ptrace => 'ptrace',
			kill => 'kill', unshare => 'unshare', listen => 'listen',
			privileges => 'setuid');
		for my $what (sort keys %call) {
			my $operation = try($what);
			is $operation->{status}, 'failed', "$what: failed";
			is $operation->{errorClass}, 'forbidden-call', '... with its class';
			like $operation->{error}, qr/the system call $call{$what},/,
				'... and the name of the call';
		}
		my $operation = try('thread-exec');
		is $operation->{errorClass}, 'forbidden-call', 'also in another thread';
		like $daemon->log, qr/the system call execve is forbidden/, '... and its name';
	};
}

subtest 'F21: processor time has an end' => sub {
	my $operation = try('cpu');
	is $operation->{status}, 'failed', 'failed';
	is $operation->{errorClass}, 'cpu-limit', 'its class';
	like $operation->{error}, qr/worker_cpu_secs/, '... and the setting';
	is $operation->{exit}{signal}, 'SIGXCPU', '... by that signal';
};

SKIP: {
	skip 'sanitizers need all addresses', 1 if $sanitized;
	subtest 'F20: memory has an end' => sub {
		my $operation = try('memory');
		is $operation->{status}, 'failed', 'failed';
		is $operation->{errorClass}, 'out-of-memory', 'its class';
		like $operation->{error}, qr/worker_memory_bytes/, '... and the setting';
	};
}

subtest 'a file has an end: LIMIT_WORKER_FILE_BYTES' => sub {
	my $operation = try('file');
	is $operation->{errorClass}, 'file-limit', 'its class';
	is $operation->{exit}{signal}, 'SIGXFSZ', '... by that signal';
};

subtest 'F4: there is no core file' => sub {
	my $operation = try('dump');
	is $operation->{exit}{signal}, 'SIGABRT', 'it died';
	ok !$operation->{exit}{core}, 'without a core';
	ok !-e 'core', 'none is here';
};

subtest 'the limits of a running worker' => sub {
	my $id = $daemon->trigger('did-sync', did => 'did:web:idle.test');
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} }, 'to run');
	my $pid = $daemon->wait_child('did-sync');
	my %limit = map { /^(Max [a-z ]+?)\s{2,}(\S+)\s+(\S+)/ ? ($1 => $2) : () }
		split /\n/, slurp("/proc/$pid/limits");
	is $limit{'Max core file size'}, 0, 'no core';
	is $limit{'Max open files'}, 64, 'LIMIT_WORKER_FILES';
	is $limit{'Max cpu time'}, 1, 'worker_cpu_secs';
	is $limit{'Max file size'}, 64 << 30, 'LIMIT_WORKER_FILE_BYTES';
	is $limit{'Max processes'}, 9 * 64 + 1024,
		'LIMIT_WORKER_PROCESSES for each of max_workers, LIMIT_USER_PROCESSES beside';
	is $limit{'Max address space'}, 268435456, 'worker_memory_bytes' unless $sanitized;
	cmp_ok slurp("/proc/$pid/oom_score_adj"), '>=', 500, 'F19: it dies before the daemon';
	cmp_ok slurp('/proc/' . $daemon->pid . '/oom_score_adj'), '<', 500, '... does';
	my $status = slurp("/proc/$pid/status");
	like $status, qr/^NoNewPrivs:\s+1$/m, 'no new privileges';
	SKIP: {
		skip 'only root can change the user', 3 if $> != 0;
		my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
		like $status, qr/^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$/m, 'worker_user';
		like $status, qr/^Groups:\s*$gid\s*$/m, 'and no group of ours';
		like $status, qr/^CapEff:\s+0+$/m, 'and no capability';
	}
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	is $daemon->wait_finished($id)->{status}, 'cancelled', 'and it can be cancelled';
};

subtest 'time has an end: max_time_per_type' => sub {
	$daemon->set(max_time_per_type => ['did-sync=1s', '*=1d']);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reload/);
	my $operation = try('idle');
	is $operation->{status}, 'failed', 'failed';
	is $operation->{errorClass}, 'timeout', 'its class';
	like $operation->{error}, qr/not done after 1 s/, '... and the time';
};

subtest 'the services' => sub {
	for my $name (qw(backfill-indexer backfill-resolver backfill-api)) {
		my $pid = $daemon->wait_child($name);
		my $status = slurp("/proc/$pid/status");
		like $status, qr/^NoNewPrivs:\s+1$/m, "$name: no new privileges";
		like $status, qr/^Seccomp:\s+2$/m, '... and few system calls'
			if $active{'system calls'};
		next if $name eq 'backfill-resolver' || !$active{network};
		isnt readlink "/proc/$pid/ns/net", readlink '/proc/self/ns/net',
			'... and a network of its own';
	}
};

$daemon->finish;
done_testing;

sub is_sanitized {
	open my $config, '<', "$Backfilld::Test::BUILDDIR/config.h" or die "config.h: $!";
	return scalar grep { /^#define BF_SANITIZED/ } <$config>;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}
