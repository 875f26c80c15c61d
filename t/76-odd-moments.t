# Rows of docs/reliability.md that need a moment or a kernel of their own: signals in
# bad company, calls that fail, sockets that are in the way.

use strict;
use warnings;
use IO::Socket::UNIX;
use List::Util ();
use POSIX ();
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Frames;
use Backfilld::NullOp;
use Backfilld::Test;

my $libexec = null_op_libexec();

sub daemon {
	return Backfilld::Test->new(settings => { libexec_dir => $libexec, max_workers => 60,
		cancel_grace_ms => 1000, @_ });
}

sub running {
	my ($daemon, $what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	return $id;
}

sub pids_of { return $_[0]->log =~ /: started, attempt \d+, worker (\d+)/g }

sub lines_of {
	open my $file, '<', $_[0] or return;
	return <$file>;
}

# What the process is told by the kernel, by strace: the calls named fail so often.
# Returns a function that ends it and tells how many calls did.
sub with_failing {
	my ($daemon, $call, $errno, $times) = @_;
	my ($trace, $said) = map { $daemon->dir . "/$_" } qw(strace strace.err);
	unlink $trace, $said;
	my $pid = Backfilld::Process::spawn([ 'strace', '-o', $trace, '-e', "trace=$call",
		'-e', "inject=$call:error=$errno:when=1..$times", '-p', $daemon->pid ],
		stdout => $said, stderr => $said);
	wait_for { grep { /attached/ } lines_of($said) } 60, 'strace';
	return sub {
		kill 'INT', $pid;
		waitpid $pid, 0;
		Backfilld::Process::forget_group($pid);
		open my $file, '<', $trace or die "$trace: $!";
		return scalar grep { /INJECTED/ } <$file>;
	};
}

sub can_trace {
	return system("strace -o /dev/null true >/dev/null 2>&1") == 0;
}

subtest 'F10: fifty workers die together' => sub {
	my $daemon = daemon()->start;
	my @ids = map { $daemon->trigger('did-sync', did => null_op_did('run')) } 1 .. 50;
	$daemon->wait_operation($_, sub { $_[0]{recordsProcessed} > 0 }, 'to run') for @ids;
	my @pids = $daemon->children('did-sync');
	is scalar @pids, 50, 'they are there';
	kill 'KILL', @pids;
	my @ends = map { $daemon->wait_finished($_)->{exit}{signal} // 'none' } @ids;
	is_deeply \@ends, [ ('SIGKILL') x 50 ], 'the end of each is known';
	is_deeply [ $daemon->children('did-sync') ], [], 'no zombie';
	$daemon->finish;
};

subtest 'F12: a storm of signals' => sub {
	my $daemon = daemon()->start;
	my $id = running($daemon, 'run');
	for (1 .. 300) {
		$daemon->signal($_) for qw(HUP CHLD HUP PIPE);
	}
	is $daemon->ctl('status')->{status}, 0, 'it answers';
	is $daemon->operation($id)->{status}, 'running', 'what ran runs';
	is $daemon->operation($id)->{attempt}, 1, 'in its first attempt';
	$daemon->signal('HUP') for 1 .. 50;
	$daemon->finish;	# SIGTERM among them
};

subtest 'F13: SIGTERM during the start' => sub {
	for my $ms (1, 5, 10, 20, 40, 80, 160, 320) {
		my $daemon = daemon();
		$daemon->{pid} = Backfilld::Process::spawn(
			[ "$Backfilld::Test::BUILDDIR/backfilld", '-c', $daemon->{conf} ],
			stdout => $daemon->{log}, stderr => $daemon->{log});
		my $group = $daemon->pid;
		# What is not it yet is a child of this test, with handlers of its own.
		wait_for { $daemon->has_ended || proc_name($group) eq 'backfilld' } 60,
			'the program to begin';
		my $until = Time::HiRes::time() + $ms / 1000;
		wait_for { Time::HiRes::time() > $until } 60, 'a moment';
		$daemon->signal('TERM');
		wait_for { $daemon->has_ended } 60, 'it to end';
		# Before there is a handler, the signal does what it does to any process.
		ok $daemon->{exit} == 0 || ($daemon->{exit} & 127) == POSIX::SIGTERM(),
			"after $ms ms it ends" or diag "status $daemon->{exit}";
		wait_for { !Backfilld::Process::proc_group($group) } 10, 'the children';
		ok !-e $daemon->socket || $daemon->{exit} != 0, 'no socket is left of a clean end';
		$daemon->start;
		$daemon->finish;
	}
};

subtest 'F14: a second SIGTERM ends the patience' => sub {
	my $daemon = daemon(cancel_grace_ms => 60000);
	$daemon->start;
	my $id = running($daemon, 'ignore-term');
	my ($worker) = pids_of($daemon);
	$daemon->signal('TERM');
	$daemon->wait_log(qr/stopping; 1 operations are running/);
	ok is_alive($worker), 'it waits for the worker';
	$daemon->signal('TERM');
	wait_for { $daemon->has_ended } 30, 'it to end, and not in a minute';
	is $daemon->{exit}, 0, 'cleanly';
	ok !is_alive($worker), 'the worker is gone';
	$daemon->start;
	$daemon->wait_operation($id, sub { $_[0]{status} eq 'running'
		&& $_[0]{attempt} == 2 }, 'to go on');
	pass 'nothing is lost by it';
	$daemon->signal('TERM');
	$daemon->wait_log(qr/stopping;.*stopping;/s);
	$daemon->signal('INT');
	$daemon->finish;
};

subtest 'F15: no process can be made' => sub {
	plan skip_all => 'strace cannot be used here' unless can_trace();
	my $daemon = daemon()->start;
	my $end = with_failing($daemon, 'vfork', 'EAGAIN', 2);
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'completed', 'it waits, and then it is done';
	is $operation->{attempt}, 1, 'what did not start is no attempt';
	like $daemon->log, qr/op $id: cannot start now: .*fork/, 'and is told';
	cmp_ok $end->(), '>=', 1, 'the call did fail';
	$daemon->finish;
};

my $cgroup;

END {
	my $status = $?;
	if ($cgroup) {	# processes are there if the test did not get to its end
		kill 'KILL', map { int } lines_of("$cgroup/cgroup.procs");
		my $deadline = time + 10;
		1 while !rmdir $cgroup and $!{EBUSY} and time < $deadline;
	}
	$? = $status;
}

# A cgroup that counts processes, of whatever version; empty if none can be had.
sub make_pids_cgroup {
	open my $mounts, '<', '/proc/mounts' or return;
	for my $mount (<$mounts>) {
		my (undef, $root, $type, $options) = split / /, $mount;
		next if $type ne 'cgroup2' && ($type ne 'cgroup' || $options !~ /\bpids\b/);
		my $dir = "$root/backfilld-t-$$";
		mkdir $dir or next;
		return $dir if -e "$dir/pids.max";
		rmdir $dir;
	}
	return;
}

sub write_to {
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	syswrite $file, $text or die "$path: $!";
}

subtest 'F15: no process can be made, by pids.max' => sub {
	$cgroup = make_pids_cgroup()
		or plan skip_all => 'no cgroup with the pids controller can be made here';
	my $daemon = daemon()->start;
	my $before = running($daemon, 'run');
	write_to("$cgroup/cgroup.procs", $daemon->pid);
	write_to("$cgroup/pids.max", 1);
	my @ids = map { $daemon->trigger('did-sync', did => null_op_did('finish')) } 1 .. 3;
	$daemon->wait_log(qr/op $ids[0]: cannot start now: fork for did-sync: Resource/);
	like join('', lines_of("$cgroup/pids.events")), qr/^max [1-9]/m,
		'the kernel has refused one';
	is $daemon->operation($_)->{status}, 'queued', 'it waits' for @ids;
	is $daemon->operation($before)->{status}, 'running', 'what runs runs on';
	is $daemon->ctl('status')->{status}, 0, 'and clients are heard';
	write_to("$cgroup/pids.max", 'max');
	my @done = map { $daemon->wait_finished($_) } @ids;
	is_deeply [ map { "$_->{status} $_->{attempt}" } @done ], [ ('completed 1') x 3 ],
		'they are done when there is room, in their first attempt';
	$daemon->xrpc_post('cancelBackfill', { id => $before });
	$daemon->finish;
};

subtest 'F17: no descriptor is left' => sub {
	my $daemon = daemon()->start;
	my $id = running($daemon, 'run');
	my $open = proc_fds($daemon->pid);
	my $free = List::Util::first { !exists $open->{$_} } 0 .. 1023;
	my $limit = sub {
		system('prlimit', '--pid', $daemon->pid, "--nofile=$_[0]:4096") == 0
			or die "prlimit: $?";
	};
	$daemon->expect_error(qr/Too many open files/);
	$limit->($free);
	my $new = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my @clients = map { IO::Socket::UNIX->new(Peer => $daemon->socket) } 1 .. 3;
	$daemon->wait_log(qr/Too many open files/);
	is $daemon->operation($id)->{status}, 'running', 'what runs runs on';
	like $daemon->operation($new)->{status}, qr/^(queued|completed)$/, 'a new one waits';
	$limit->(1024);
	@clients = ();
	is $daemon->wait_finished($new)->{status}, 'completed', 'until there are some again';
	is $daemon->ctl('status')->{status}, 0, 'and clients are heard';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	$daemon->finish;
};

subtest 'F19: the daemon has no memory left' => sub {
	plan skip_all => 'a sanitizer takes terabytes of addresses' if grep {
		/^#define BF_SANITIZED/ } lines_of("$Backfilld::Test::BUILDDIR/config.h");
	my $daemon = daemon()->start;
	my $id = running($daemon, 'checkpoint');
	my $done = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($done);
	my ($worker) = pids_of($daemon);
	my ($now) = map { /^VmSize:\s+(\d+) kB/ } lines_of('/proc/' . $daemon->pid . '/status');
	system('prlimit', '--pid', $daemon->pid, '--as=' . ($now + 1024) * 1024) == 0
		or die "prlimit: $?";
	# Who asks and does not read costs up to LIMIT_CHANNEL_QUEUE_BYTES.
	my $peer = IO::Socket::UNIX->new(Peer => $daemon->socket) or die $!;
	my $ask = Backfilld::Frames::frame('events', req => 1, id => $id);
	$peer->blocking(0);
	local $SIG{PIPE} = 'IGNORE';
	syswrite $peer, Backfilld::Frames::frame('hello',
		version => Backfilld::Frames::version(), program => 'test', pid => $$);
	wait_for { syswrite $peer, $ask x 1000; $daemon->has_ended } 60, 'it to end';
	is $daemon->{exit} >> 8, 79, 'it ends, and says why by its status';
	wait_for { !is_alive($worker) } 10, 'its worker to end with it';
	$daemon->expect_error(qr/./);
	$daemon->start;
	is $daemon->wait_finished($id)->{status}, 'completed', 'what ran goes on';
	is $daemon->operation($done)->{status}, 'completed', 'what was done is done';
	$daemon->finish;
};

subtest 'F34: kill -9 of the whole process group' => sub {
	my $daemon = daemon()->start;
	my $id = running($daemon, 'checkpoint');
	# The API stays, and answers from the store until another one takes its place.
	my @pids = (pids_of($daemon), $daemon->children('backfill-indexer'));
	kill 'KILL', -$daemon->pid;
	wait_for { $daemon->has_ended } 30, 'it to die';
	wait_for { !grep { is_alive($_) } @pids } 10, 'its workers to end';
	$daemon->expect_error(qr/./);
	$daemon->start;
	is $daemon->wait_finished($id)->{status}, 'completed', 'it goes on from its checkpoint';
	$daemon->finish;
};

subtest 'F57: what was written cannot be brought to the disk' => sub {
	plan skip_all => 'strace cannot be used here' unless can_trace();
	my $daemon = daemon()->start;
	my $before = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($before);
	$daemon->expect_error(qr/./);
	my $end = with_failing($daemon, 'fdatasync', 'EIO', 1);
	my $did = null_op_did('finish');
	my $answer = $daemon->xrpc_post('triggerBackfill', { type => 'didSync', did => $did });
	cmp_ok $answer->{status}, '>=', 500, 'what is not on the disk is not acknowledged';
	is $end->(), 1, 'the call did fail';
	$daemon->kill_hard if !$daemon->has_ended;
	$daemon->start;
	is $daemon->operation($before)->{status}, 'completed', 'what was is there';
	my $after = $daemon->trigger('did-sync', did => $did);
	is $daemon->wait_finished($after)->{status}, 'completed', 'and it can be asked again';
	$daemon->finish;
};

subtest 'F69: something is in the place of the socket' => sub {
	my $daemon = daemon();
	my $victim = $daemon->dir . '/victim';
	open my $file, '>', $victim or die $!;
	print $file 'precious';
	close $file;
	symlink $victim, $daemon->socket or die $!;
	my $result = $daemon->run_backfilld('-c', $daemon->{conf});
	isnt $result->{status}, 0, 'a link is not followed, the start refused';
	is -s $victim, 8, 'where it leads nothing is touched';
	unlink $daemon->socket;
	my $stale = IO::Socket::UNIX->new(Local => $daemon->socket, Listen => 1) or die $!;
	close $stale;
	ok -S $daemon->socket, 'a socket that nobody serves';
	$daemon->start;
	is $daemon->ctl('status')->{status}, 0, 'is replaced';
	$daemon->finish;
};

done_testing;
