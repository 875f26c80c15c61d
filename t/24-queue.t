# The queue: order, room, one active operation for one target.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 1, max_queued => 3,
});
$daemon->start;

my $did = null_op_did('run');
my $first = $daemon->trigger('did-sync', did => $did);
$daemon->wait_status($first, 'running');

subtest 'the same target again is a conflict with the id of the running one' => sub {
	my $answer = $daemon->xrpc_post('triggerBackfill', { type => 'didSync', did => $did });
	is $answer->{status}, 409, 'status 409';
	is $answer->{json}{error}, 'BackfillInProgress', 'its name';
	like $answer->{json}{message}, qr/$first/, 'its id';
};

my @queued = map { $daemon->trigger('did-sync', did => null_op_did('finish')) } 1 .. 3;

subtest 'a full queue is refused, and nothing is stored' => sub {
	my $answer = $daemon->xrpc_post('triggerBackfill',
		{ type => 'didSync', did => null_op_did('finish') });
	is $answer->{status}, 503, 'status 503';
	is $answer->{json}{error}, 'QueueFull', 'its name';
	my $all = $daemon->xrpc_get('getBackfillStatus')->{json}{operations};
	is scalar @$all, 4, 'four operations are known';
};

subtest 'the oldest runs first' => sub {
	$daemon->xrpc_post('cancelBackfill', { id => $first });
	my @ends = map { $daemon->wait_finished($_)->{completedAt} } @queued;
	is_deeply \@ends, [sort @ends], 'in the order of their triggers';
};

subtest 'a target is free again when its operation has ended' => sub {
	my $id = $daemon->trigger('did-sync', did => $did);
	ok $id gt $first, 'a later id';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'a type without a worker is an honest 501' => sub {
	my $answer = $daemon->xrpc_post('triggerBackfill', { type => 'governanceSync' });
	is $answer->{status}, 501, 'status 501';
	is $answer->{json}{error}, 'MethodNotImplemented', 'its name';
};

$daemon->finish;
done_testing;
