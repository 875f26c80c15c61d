# kill -9 of the supervisor: nothing that was accepted is lost, nothing is
# "running" without a process, and no worker outlives it.

use strict;
use warnings;
use Fcntl ':flock';
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 2, cancel_grace_ms => 20000,
	max_attempts => 3,
});
$daemon->start;

sub worker_pids {
	return $daemon->log =~ /: started, attempt \d+, worker (\d+)/g;
}

my $running = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
my $cancelling = $daemon->trigger('did-sync', did => null_op_did('ignore-term'));
my $queued = $daemon->trigger('did-sync', did => null_op_did('finish'));
$daemon->wait_operation($_, sub { $_[0]{recordsProcessed} > 0 }, 'to run')
	for $running, $cancelling;

# Its worker ignores SIGTERM: the cancel is under way when the supervisor dies.
my $asker = fork() // die $!;
if ($asker == 0) {
	$daemon->xrpc_post('cancelBackfill', { id => $cancelling });
	POSIX::_exit(0);
}
$daemon->wait_log(qr/op $cancelling did-sync: cancel asked for/);

subtest 'the workers and the indexer go with the supervisor' => sub {
	my @pids = (worker_pids(), $daemon->children('backfill-indexer'));
	$daemon->kill_hard;
	wait_for { !grep { is_alive($_) } @pids } 2, 'the workers to end';
	pass 'gone within 2 s';
};
waitpid $asker, 0;

subtest 'the API still reads, and says clearly that it cannot write' => sub {
	is $daemon->operation($running)->{id}, $running, 'a read is answered';
	my $answer = $daemon->xrpc_post('triggerBackfill',
		{ type => 'didSync', did => 'did:web:finish.later.test' });
	is $answer->{status}, 503, 'a write gets 503';
	like $answer->{json}{message}, qr/supervisor|backfilld/, 'and is told why';
};

$daemon->start;

subtest 'everything goes on after the restart' => sub {
	my $operation = $daemon->wait_finished($running);
	is $operation->{status}, 'completed', 'the one with a checkpoint completes from it';
	is $operation->{attempt}, 2, 'in its second attempt';
	is $daemon->wait_finished($queued)->{status}, 'completed', 'the queued one runs';
	is $daemon->operation($cancelling)->{status}, 'cancelled',
		'the one that was being cancelled is cancelled';
};

subtest 'an operation that never survives does not loop for ever' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
	for my $attempt (1 .. 3) {
		$daemon->wait_operation($id,
			sub { $_[0]{status} eq 'running' && $_[0]{attempt} == $attempt },
			"to run the ${attempt}th time");
		$daemon->kill_hard;
		$daemon->start;
	}
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'failed', 'it fails';
	like $operation->{error}, qr/3 attempts/, 'and says why';
};

subtest 'a clean stop keeps what runs for the next start' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	$daemon->stop;
	$daemon->start;
	is $daemon->wait_finished($id)->{status}, 'completed', 'it goes on';
};

subtest 'when the indexer dies its operations go back to the queue' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	$daemon->expect_error(qr/backfill-indexer: process \d+ was killed by signal 9/);
	kill 'KILL', $daemon->wait_child('backfill-indexer');
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'completed', 'it goes on from its checkpoint';
	is $operation->{attempt}, 2, 'in a second attempt';
};

# Behind its checkpoint work is done again: what was said of that may be otherwise then.
for my $who ('worker', 'daemon') {
	subtest "a failed item that works in the attempt after a $who that was killed" => sub {
		my $id = $daemon->trigger('did-sync', did => null_op_did('item-works'));
		my $items = sub { [ map { $_->{item} }
			@{ $daemon->ctl('show', $id, '--items')->{json}{items} } ] };
		$daemon->wait_operation($id, sub { $_[0]{itemsFailed} == 2 }, 'to have failed twice');
		is_deeply $items->(), [ 'did:web:before.test', 'did:web:behind.test' ], 'both listed';
		if ($who eq 'worker') {
			my ($pid) = $daemon->log =~ /op $id did-sync: started, attempt 1, worker (\d+)/;
			kill 'KILL', $pid;
		} else {
			$daemon->kill_hard;
			$daemon->start;
		}
		my $operation = $daemon->wait_finished($id);
		is $operation->{status}, 'completed', 'it completes';
		is $operation->{attempt}, 2, 'in its second attempt';
		is_deeply $items->(), ['did:web:before.test'], 'what is before the checkpoint stays';
		is $operation->{itemsFailed}, 1, 'and that is what is counted';
		is_deeply $operation->{met}, { other => 2 }, 'two failures were met all the same';
	};
}

$daemon->finish;

subtest 'a worker that reads nothing goes with the supervisor, too' => sub {
	my $other = Backfilld::Test->new(settings => {
		libexec_dir => null_op_libexec(), cancel_grace_ms => 300 });
	$other->start;
	my $id = $other->trigger('did-sync', did => null_op_did('spin'));
	my ($pid) = $other->wait_log(qr/: started, attempt 1, worker (\d+)/);
	wait_for { cpu_ticks($pid) > 20 } 60, 'it to spin';
	$other->kill_hard;
	wait_for { !is_alive($pid) } 2, 'the worker to end';
	$other->start;
	$other->wait_operation($id, sub { $_[0]{attempt} == 2 }, 'to run again');
	$other->xrpc_post('cancelBackfill', { id => $id });
	is $other->wait_finished($id)->{status}, 'cancelled', 'and does not stay';
	$other->finish;
};

# A child that the dead one was just starting has its lock until it executes its program.
subtest 'a lock that is held for a moment yet is waited for' => sub {
	my $other = Backfilld::Test->new;
	$other->start;
	$other->kill_hard;
	my $lock = $other->dir . '/state/lock';
	open my $held, '<', $lock or die "$lock: $!";
	flock $held, LOCK_EX or die "flock: $!";
	my $holder = Backfilld::Process::fork_group(sub {
		my $tries = 0;
		# Until the new one has been at it for a while.
		wait_for {
			$tries += grep { (readlink($_) // '') =~ m{/backfilld$} }
				glob '/proc/[0-9]*/exe';
			$tries > 30
		} 30, 'the next daemon';
	});
	close $held;
	$other->start;
	waitpid $holder, 0;
	Backfilld::Process::forget_group($holder);
	pass 'it has started';
	$other->finish;
};
done_testing;

# Processor time of a process, in hundredths of a second.
sub cpu_ticks {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or return 0;
	my @fields = split ' ', <$file> =~ s/.*\) //r;
	return $fields[11];
}
