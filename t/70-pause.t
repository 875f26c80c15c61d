# Pause and resume: the worker stops between two items, nothing is lost, also not
# by a restart of the daemon.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 1,
});
$daemon->start;

sub running {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{recordsProcessed} > 0 }, 'to run');
	return $id;
}

sub events { return map { $_->{event} } @{ $daemon->ctl('show', $_[0], '--events')->{json}{events} } }

my $id = running('run');

subtest 'a running operation comes to rest and makes its place free' => sub {
	my $answer = $daemon->ctl('pause', $id);
	is $answer->{status}, 0, 'asked';
	ok $answer->{json}{paused}, 'it says so';
	my $op = $daemon->wait_status($id, 'queued');
	ok $op->{paused}, 'queued and paused';
	like $op->{pausedBy}, qr/^uid \d+$/, 'by whom';
	ok $op->{pausedAt}, 'since when';
	ok $op->{recordsProcessed} > 0, 'what it had done is known';
	my $other = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($other)->{status}, 'completed', 'another one runs meanwhile';
	is $daemon->operation($id)->{status}, 'queued', 'and it rests';
	like $daemon->ctl('list')->{out}, qr/"id":"$id"[^\n]*"paused":true/, 'the list says so';
};

subtest 'a pause outlives the daemon' => sub {
	$daemon->stop;
	$daemon->start;
	my $other = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($other);
	my $op = $daemon->operation($id);
	is $op->{status}, 'queued', 'it was not started';
	ok $op->{paused}, 'it is paused';
};

subtest 'resumed, it goes on from its checkpoint' => sub {
	my $answer = $daemon->xrpc_post('resumeBackfill', { id => $id });
	is $answer->{status}, 200, 'asked';
	ok !$answer->{json}{operation}{paused}, 'no longer paused';
	my $op = $daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{attempt} == 2 }, 'to run again');
	is_deeply [ grep { /paused|resumed|interrupted|started/ } events($id) ],
		[qw(started paused interrupted resumed started)], 'its history tells it';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'one that waits is paused at once, and cancelled at once' => sub {
	my $first = running('run');
	my $waiting = $daemon->trigger('did-sync', did => null_op_did('finish'));
	ok $daemon->xrpc_post('pauseBackfill', { id => $waiting })->{json}{operation}{paused},
		'paused';
	ok $daemon->xrpc_post('pauseBackfill', { id => $waiting })->{json}{operation}{paused},
		'twice is as once';
	is scalar(grep { $_ eq 'paused' } events($waiting)), 1, 'one event';
	$daemon->xrpc_post('cancelBackfill', { id => $first });
	my $third = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($third);
	is $daemon->operation($waiting)->{status}, 'queued', 'it was passed over';
	ok $daemon->xrpc_post('cancelBackfill', { id => $waiting })->{json}{success}, 'cancelled';
	ok !$daemon->operation($waiting)->{attempt}, 'without a start';
};

subtest 'the supervisor dies while its worker comes to rest' => sub {
	# This one never reads, so it never heeds the pause.
	my $id = $daemon->trigger('did-sync', did => null_op_did('spin'));
	$daemon->wait_status($id, 'running');
	$daemon->xrpc_post('pauseBackfill', { id => $id });
	is $daemon->operation($id)->{status}, 'running', 'it still runs';
	ok $daemon->operation($id)->{paused}, 'with the wish noted';
	$daemon->kill_hard;
	$daemon->start;
	my $op = $daemon->operation($id);
	is $op->{status}, 'queued', 'after the restart it rests';
	ok $op->{paused}, 'paused';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'what has ended or is unknown cannot be paused' => sub {
	my $done = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($done);
	is $daemon->xrpc_post('pauseBackfill', { id => $done })->{status}, 400, 'ended';
	is $daemon->xrpc_post('resumeBackfill', { id => '3kaaaaaaaaaa2' })->{json}{error},
		'OperationNotFound', 'unknown';
	isnt $daemon->ctl('pause', $done)->{status}, 0, 'backfillctl says so, too';
};

$daemon->finish;
done_testing;
