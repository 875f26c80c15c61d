# A cgroup for each worker: nothing that it starts gets away, not even over the death
# of the daemon (F7), and the kernel's killing for want of memory is told (F20).

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $base = make_base();
my $libexec = null_op_libexec();
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
	cgroup => $base, cancel_grace_ms => 1000, max_workers => 8 });

# A cgroup of the test's own, gone at its end; without one there is nothing to test.
sub make_base {
	my ($root) = map { (split / /)[1] } grep { /^\S+ \S+ cgroup2 / } lines('/proc/mounts');
	plan skip_all => 'there is no cgroup v2 here' if !$root;
	my $dir = "$root/backfilld-t-$$";
	mkdir $dir or plan skip_all => "$dir: $!";
	return $dir;
}

END {
	my $status = $?;
	if ($base) {
		put("$base/cgroup.kill", 1);
		my $deadline = time + 10;
		for my $dir (glob("$base/*/"), $base) {
			1 while !rmdir $dir and $!{EBUSY} and time < $deadline;
		}
	}
	$? = $status;
}

sub lines {
	my ($path) = @_;
	open my $file, '<', $path or return;
	my @lines = <$file>;
	chomp @lines;
	return @lines;
}

sub put {
	my ($path, $text) = @_;
	open my $file, '>', $path or return;
	return syswrite $file, $text;
}

# "supervisor", "worker-ID": where in the base a process is.
sub place_of {
	my ($pid) = @_;
	my ($path) = map { /^0::(.*)/ ? $1 : () } lines("/proc/$pid/cgroup");
	my ($name) = $base =~ m{([^/]+)$};
	return ($path // '') =~ m{/\Q$name\E/(.*)} ? $1 : $path;
}

sub cgroups { return sort map { m{([^/]+)/$} } glob "$base/worker-*/" }

# The operation, its worker, and what that has started.
sub running {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my ($pid) = $daemon->wait_log(qr/op $id \S+: started, attempt \d+, worker (\d+)/);
	my ($other) = $daemon->log =~ /op $id worker $pid: (?:runaway|grandchild) (\d+)/;
	return ($id, $pid, $other);
}

sub doctor {
	return { map { $_->{check} => $_ } @{ $daemon->ctl('doctor')->{lines} } };
}

$daemon->start;
my %has = map { $_ => 1 } split ' ', join ' ', lines("$base/cgroup.controllers");

subtest 'each has its own' => sub {
	my ($id, $pid, $other) = running('runaway');
	is place_of($daemon->pid), 'supervisor', 'the daemon';
	is place_of($daemon->wait_child($_)), 'supervisor', $_
		for qw(backfill-indexer backfill-resolver backfill-api);
	is place_of($pid), "worker-$id", 'the worker';
	is place_of($other), "worker-$id", 'what has left its session';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	is $daemon->wait_finished($id)->{status}, 'cancelled', 'it is cancelled';
	wait_for { !is_alive($other) } 10, 'it to end';
	wait_for { !cgroups() } 60, 'its cgroup to go';
	pass 'nothing is left';
	unlike $daemon->log, qr/is not in its cgroup/, 'nothing went wrong';
};

subtest 'a kernel that cannot start a process in a cgroup' => sub {
	plan skip_all => 'strace cannot be used here'
		if system('strace -o /dev/null true >/dev/null 2>&1') != 0;
	my $trace = $daemon->dir . '/strace';
	my $pid = Backfilld::Process::spawn([ 'strace', '-o', $trace, '-e', 'trace=clone3',
		'-e', 'inject=clone3:error=ENOSYS', '-p', $daemon->pid ],
		stdout => "$trace.err", stderr => "$trace.err");
	wait_for { grep { /attached/ } lines("$trace.err") } 60, 'strace';
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($id)->{status}, 'completed', 'it is started elsewhere';
	kill 'INT', $pid;
	waitpid $pid, 0;
	Backfilld::Process::forget_group($pid);
	is scalar(grep { /INJECTED/ } lines($trace)), 1, 'the call did fail';
	like $daemon->log, qr/did-sync \d+: is not in its cgroup: Function not impl/, 'as told';
	is_deeply [cgroups()], [], 'its cgroup is gone';
};

subtest 'it is told what is active' => sub {
	my @lacks = grep { !$has{$_} } qw(memory pids);
	push @lacks, 'kill' if !-e "$base/cgroup.kill";
	my $without = @lacks ? ', without: ' . join(', ', @lacks) : '';
	my @told = $daemon->log =~ /(containment: workers have cgroups .*)/g;
	is_deeply \@told, ["containment: workers have cgroups of their own in $base$without"],
		'one line of the log';
	my $found = doctor()->{'worker cgroups'};
	is $found->{verdict}, @lacks ? 'weak' : 'ok', 'the doctor';
	is $found->{found}, "one for each worker in $base$without", '... in words';
};

SKIP: {
	skip 'the kernel has no cgroup.kill (Linux 5.14)', 1 if !-e "$base/cgroup.kill";
	subtest 'F7: what was left by a daemon that died is ended by the next' => sub {
		my ($id, $pid, $other) = running('runaway');
		$daemon->expect_error(qr/./);
		$daemon->kill_hard;
		wait_for { !is_alive($pid) } 10, 'the worker to end with it';
		ok is_alive($other), 'what it had started goes on';
		is_deeply [cgroups()], ["worker-$id"], 'in its cgroup';
		$daemon->start;
		wait_for { !is_alive($other) } 10, 'it to end';
		pass 'it is gone';
		# The operation goes on, in a cgroup of that name.
		($pid) = $daemon->wait_log(qr/op $id \S+: started, attempt 2, worker (\d+)/);
		is place_of($pid), "worker-$id", 'the second attempt has one, too';
		$daemon->wait_log(qr/op $id worker $pid: runaway/);
		$daemon->xrpc_post('cancelBackfill', { id => $id });
		wait_for { !cgroups() } 60, 'the cgroups to go';
		pass 'nothing is left';
	};
}

subtest 'an upgrade keeps them' => sub {
	my ($id, $pid, $other) = running('runaway');
	is $daemon->ctl('upgrade')->{status}, 0, 'an upgrade';
	is place_of($daemon->pid), 'supervisor', 'the daemon is where it was';
	ok is_alive($other), 'what runs runs on';
	is_deeply [cgroups()], ["worker-$id"], 'in its cgroup';
	my ($new, $new_pid) = running('run');
	is place_of($new_pid), "worker-$new", 'a new one has its own';
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for $id, $new;
	wait_for { !is_alive($other) } 10, 'it to end';
	wait_for { !cgroups() } 60, 'the cgroups to go';
	pass 'nothing is left';
};

subtest 'the memory of all of it has an end: memory.max' => sub {
	plan skip_all => 'cgroup v2 has no memory controller here' if !$has{memory};
	my ($id, $pid) = running('run');
	is_deeply [lines("$base/worker-$id/memory.max")], [2147483648], 'worker_memory_bytes';
	is_deeply [lines("$base/worker-$id/memory.oom.group")], [1], 'one for all';
	# Nobody can live on that.
	put("$base/worker-$id/memory.swap.max", 0);
	put("$base/worker-$id/memory.max", 4096);
	my $operation = $daemon->wait_finished($id);
	is $operation->{errorClass}, 'out-of-memory', 'its class';
	like $operation->{error}, qr/worker_memory_bytes/, '... and the setting';
};

subtest 'the number of its processes has an end: pids.max' => sub {
	plan skip_all => 'cgroup v2 has no pids controller here' if !$has{pids};
	my ($id) = running('run');
	is_deeply [lines("$base/worker-$id/pids.max")], [64], 'LIMIT_WORKER_PROCESSES';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'a second daemon does not divide what another does' => sub {
	my ($id, $pid) = running('run');
	my $second = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		cgroup => $base });
	$second->start;
	like $second->log, qr/containment: workers have no cgroups of their own: another /,
		'it says so';
	is_deeply [cgroups()], ["worker-$id"], 'and touches nothing';
	ok is_alive($pid), 'not those who are there';
	$second->finish;
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'a hundred come and go' => sub {
	my @ids = map { $daemon->trigger('did-sync', did => null_op_did('finish')) } 1 .. 100;
	is_deeply [ grep { $_ ne 'completed' } map { $daemon->wait_finished($_)->{status} }
		@ids ], [], 'all complete';
	wait_for { !cgroups() } 60, 'the cgroups to go';
	is_deeply [ grep { /worker-/ } values %{ proc_fds($daemon->pid) } ], [],
		'no descriptor of one is left';
};

$daemon->finish;

subtest 'where there is none, that is said and nothing is lost' => sub {
	for my $setting ('auto', '/proc', 'off') {
		my $other = Backfilld::Test->new(settings => { libexec_dir => $libexec,
			cgroup => $setting })->start;
		my @told = $other->log =~ /(containment: workers have no cgroups .*)/g;
		is scalar @told, $setting eq 'off' ? 0 : 1, "$setting: the log"
			or diag @told;
		my $id = $other->trigger('did-sync', did => null_op_did('runaway'));
		$other->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
		my ($pid) = $other->log =~ /op $id worker \d+: runaway (\d+)/;
		my ($check) = grep { $_->{check} eq 'worker cgroups' }
			@{ $other->ctl('doctor')->{lines} };
		like $check->{found}, qr/^none: \S/, 'the doctor';
		is $check->{verdict}, 'weak', '... thinks it weak';
		$other->xrpc_post('cancelBackfill', { id => $id });
		wait_for { !is_alive($pid) } 10, 'the runaway to end';
		pass 'what leaves its session is found all the same';
		$other->finish;
	}
	my $bad = Backfilld::Test->new(settings => { cgroup => 'yes' });
	my $result = $bad->run_backfilld('--check-config', '-c', $bad->{conf});
	is $result->{status}, 78, 'another word is an error';
	like $result->{out} . $result->{err}, qr/cgroup = "yes": has to be auto, off or/,
		'... that is told';
	$bad->{is_finished} = 1;
};

done_testing;
