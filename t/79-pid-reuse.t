# F11: the id of a process that ended is given to another one.  In a pid namespace of
# the test's own, where the next id can be chosen: a bystander gets the id of a worker, of
# a service or of the daemon, and lives.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

BEGIN {
	my @namespace = qw(unshare --pid --fork --mount-proc --kill-child);
	if (!$ENV{BF_PID_NAMESPACE}) {
		if ($> != 0 || system("@namespace true 2>/dev/null") != 0) {
			plan skip_all => 'no pid namespace can be had (root)';
		}
		$ENV{BF_PID_NAMESPACE} = 1;
		exec @namespace, $^X, map({ "-I$_" } @INC), $0 or die "unshare: $!";
	}
}

use Backfilld::NullOp;
use Backfilld::Test;

my @bystanders;

# A process that has this id, and a process group of that number; undef if the kernel
# does not give it.
sub take_pid {
	my ($wanted) = @_;
	for (1 .. 50) {
		open my $next, '>', '/proc/sys/kernel/ns_last_pid' or die "ns_last_pid: $!";
		print $next $wanted - 1;
		close $next or die "ns_last_pid: $!";
		my $pid = Backfilld::Process::spawn([ 'tail', '-f', '/dev/null' ]);
		if ($pid == $wanted) {
			push @bystanders, $pid;
			return $pid;
		}
		kill 'KILL', $pid;
		waitpid $pid, 0;
		Backfilld::Process::forget_group($pid);
	}
	return;
}

sub all_live {
	my ($what) = @_;
	is scalar(grep { is_alive($_) } @bystanders), scalar @bystanders,
		"$what: no bystander was hit";
}

my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
	cancel_grace_ms => 500 });
$daemon->start;

sub run_one {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my ($worker) = $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/;
	return ($id, $worker);
}

subtest 'F11: an end that was not seen yet keeps the id' => sub {
	my ($id, $worker) = run_one('run');
	$daemon->signal('STOP');
	kill 'KILL', $worker;
	wait_for { !is_alive($worker) } 60, 'the worker to die';
	ok !defined take_pid($worker), 'nobody can have its id';
	my $ctl = Backfilld::Process::spawn([ "$Backfilld::Test::BUILDDIR/backfillctl", '-s',
		$daemon->socket, 'cancel', $id ], stdout => '/dev/null', stderr => '/dev/null');
	$daemon->signal('CONT');
	waitpid $ctl, 0;
	Backfilld::Process::forget_group($ctl);
	like $daemon->wait_finished($id)->{status}, qr/^(failed|cancelled)$/, 'it has ended';
	is take_pid($worker), $worker, 'now another process has it';
	$daemon->ctl('cancel', $id);
	all_live('a cancel of what has ended');
};

subtest 'F11: services' => sub {
	my $indexer = $daemon->wait_child('backfill-indexer');
	$daemon->expect_error(qr/backfill-indexer|the index is gone/);
	kill 'KILL', $indexer;
	wait_for { grep { $_ != $indexer && is_alive($_) }
		$daemon->children('backfill-indexer') } 60, 'another one';
	is take_pid($indexer), $indexer, 'its id is another process\'';
	my ($id) = run_one('ignore-term');
	is $daemon->ctl('cancel', $id)->{status}, 0, 'a cancel by force';
	all_live('that');
};

subtest 'F11: over the death of the daemon' => sub {
	my ($id, $worker) = run_one('checkpoint');
	my ($asked, $other) = run_one('run');
	my $api = $daemon->wait_child('backfill-api');
	my $old = $daemon->pid;
	$daemon->kill_hard;
	kill 'KILL', $api;
	# The kernel ends the workers; in this namespace they are ours to reap.
	for my $pid ($worker, $other, $api) {
		wait_for { waitpid($pid, POSIX::WNOHANG()) != 0 || !is_alive($pid) } 60,
			"$pid to end";
	}
	is take_pid($_), $_, "$_ is another process" for $worker, $other, $api, $old;
	$daemon->expect_error(qr/./);
	$daemon->start;
	is $daemon->wait_finished($id)->{status}, 'completed', 'one goes on';
	$daemon->wait_operation($asked, sub { $_[0]{status} eq 'running'
		&& $_[0]{attempt} == 2 }, 'to go on');
	is $daemon->ctl('cancel', $asked)->{status}, 0, 'the other is cancelled';
	all_live('what an earlier daemon knew');
};

$daemon->finish;
all_live('the stop');
for my $pid (@bystanders) {
	kill 'KILL', $pid;
	waitpid $pid, 0;
	Backfilld::Process::forget_group($pid);
}
done_testing;
