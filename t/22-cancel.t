# A cancel that provably stops: the answer comes when the outcome is known.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 2, cancel_grace_ms => 500,
});
$daemon->start;

sub running {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{recordsProcessed} > 0 }, 'to run');
	my ($pid) = $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/;
	return ($id, $pid);
}

subtest 'a running operation' => sub {
	my ($id, $pid) = running('run');
	my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
	is $answer->{status}, 200, 'answered';
	ok $answer->{json}{success}, 'with success';
	ok !is_alive($pid), 'the process is gone when the answer is there';
	my $operation = $daemon->operation($id);
	is $operation->{status}, 'cancelled', 'it is cancelled';
	is $operation->{cancelledBy}, 'admin', 'by whom is said';
	ok !$operation->{exit}{killed}, 'it needed no SIGKILL';
};

subtest 'one that ignores SIGTERM gets SIGKILL after the grace period' => sub {
	my ($id, $pid) = running('ignore-term');
	my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
	ok $answer->{json}{success}, 'success';
	ok !is_alive($pid), 'the process is gone';
	my $operation = $daemon->operation($id);
	is $operation->{status}, 'cancelled', 'cancelled, not failed';
	ok $operation->{exit}{killed}, 'that it was killed is said';
	is $operation->{exit}{signal}, 'SIGKILL', 'with the signal';
};

subtest 'one that is stopped by SIGSTOP' => sub {
	my ($id, $pid) = running('run');
	kill 'STOP', $pid;
	wait_for { proc_state($pid) eq 'T' } 5, 'it to stop';
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}, 'success';
	ok !is_alive($pid), 'the process is gone';
};

subtest 'one that waits in the queue never starts' => sub {
	my ($first) = running('run');
	my ($second) = running('run');
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->operation($id)->{status}, 'queued', 'it waits';
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}, 'success';
	my $operation = $daemon->operation($id);
	is $operation->{status}, 'cancelled', 'it is cancelled';
	ok !$operation->{attempt}, 'it was never tried';
	unlike $daemon->log, qr/op $id did-sync: started/, 'nor started';
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for $first, $second;
};

subtest 'what cannot be cancelled is told truthfully and not changed' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my $before = $daemon->wait_finished($id);
	my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
	is $answer->{status}, 200, 'a finished one: answered';
	ok !$answer->{json}{success}, 'without success';
	is_deeply $daemon->operation($id), $before, 'the record is as it was';

	my $unknown = $daemon->xrpc_post('cancelBackfill', { id => '3zzzzzzzzzzzz' });
	is $unknown->{json}{error}, 'OperationNotFound', 'an unknown one';
};

subtest 'two at once get the same answer, and a third later too' => sub {
	my ($id) = running('ignore-term');
	my @pids = map {
		my $pid = fork() // die $!;
		if ($pid == 0) {
			my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
			POSIX::_exit($answer->{json}{success} ? 0 : 1);
		}
		$pid
	} 1 .. 2;
	for my $pid (@pids) {
		waitpid $pid, 0;
		is $?, 0, 'success';
	}
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success},
		'cancelling what is cancelled is a success that changes nothing';
	my @asked = $daemon->log =~ /op $id did-sync: cancel asked for/g;
	is scalar @asked, 1, 'it was told to stop once';
};

subtest 'backfillctl cancel' => sub {
	my ($id, $pid) = running('run');
	my $result = $daemon->ctl('cancel', $id, '--reason', 'no longer needed');
	is $result->{status}, 0, 'exit status 0';
	ok !is_alive($pid), 'the process is gone';
	my $operation = $daemon->operation($id);
	is $operation->{cancelReason}, 'no longer needed', 'the reason is kept';
	like $operation->{cancelledBy}, qr/^uid \d+$/, 'and who it was';
};

subtest 'the record says how it ended and how long it took' => sub {
	my ($id) = running('ignore-term');
	$daemon->xrpc_post('cancelBackfill', { id => $id, reason => 'a test' });
	my $operation = $daemon->ctl('show', $id, '--events')->{json};
	ok $operation->{cancelAskedAt} lt $operation->{completedAt}, 'asked, then ended';
	my ($end) = grep { $_->{event} eq 'cancelled' } @{ $operation->{events} };
	my ($ms) = $end->{text} =~ /^the worker did not stop in time and was killed, after (\d+) ms$/;
	ok defined $ms, 'how it ended' or diag $end->{text};
	cmp_ok $ms, '>=', 400, 'and how long it took: about the grace period at least';
};

subtest 'a worker that is told to stop by hand' => sub {
	my ($id, $pid) = running('run');
	kill 'TERM', $pid;
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'cancelled', 'is cancelled';
	is $operation->{cancelledBy}, 'kill', 'by kill';
	my $events = $daemon->ctl('show', $id, '--events')->{json}{events};
	like $events->[-1]{text}, qr/sent SIGTERM from outside/, 'with that said';
};

subtest 'a process that left its group does not outlive its operation' => sub {
	my ($id) = running('runaway');
	my ($runaway) = $daemon->wait_log(qr/op $id worker \d+: runaway (\d+)/);
	ok is_alive($runaway), 'it is there';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	wait_for { !is_alive($runaway) } 10, 'it to end';
	is $daemon->operation($id)->{status}, 'cancelled', 'the operation is cancelled';
	$daemon->wait_log(qr/process $runaway was left behind by a worker/);
};

$daemon->finish;

subtest 'against completion: what was done is done' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
		cancel_grace_ms => 2000 });
	$daemon->start;
	my $id = $daemon->trigger('did-sync', did => null_op_did('done-hang'));
	$daemon->wait_log(qr/op $id worker \d+: done is said/);
	my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
	ok !$answer->{json}{success}, 'no success';
	is $answer->{json}{status}, 'completed', 'it had completed';
	is $daemon->operation($id)->{status}, 'completed', 'and stays so';
	$daemon->finish;
};

subtest 'during the spawn: before the worker has said hello' => sub {
	local $ENV{BF_TEST} = 'hang-before-hello';
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec() });
	$daemon->start;
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my ($pid) = $daemon->wait_log(qr/op $id did-sync: started, attempt 1, worker (\d+)/);
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}, 'success';
	ok !is_alive($pid), 'the process is gone';
	is $daemon->operation($id)->{status}, 'cancelled', 'it is cancelled';
	$daemon->finish;
};

subtest 'right after the trigger: it never starts, or it is gone' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec() });
	$daemon->start;
	for (1 .. 20) {
		my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
		$daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}
			or fail "cancel $id";
		is $daemon->operation($id)->{status}, 'cancelled', "$id is cancelled";
	}
	is_deeply [ $daemon->children('did-sync') ], [], 'no worker is left';
	$daemon->finish;
};

done_testing;
