# The queue: order, room, one active operation for one target.

use strict;
use warnings;
use IO::Socket::UNIX;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::Frames;
use Backfilld::NullOp;

my $libexec = null_op_libexec();
symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/$_"
	for qw(freshness-scan own-words);
my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => $libexec, max_workers => 1, max_queued => 3,
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

subtest 'an idempotency key: asked twice, done once' => sub {
	my %request = (type => 'did-sync', did => null_op_did('finish'),
		idempotencyKey => 'order 4711' =~ s/ /-/r);
	my $first = $daemon->xrpc_post('triggerBackfill', \%request)->{json}{operation}{id};
	$daemon->wait_finished($first);
	my $again = $daemon->xrpc_post('triggerBackfill', \%request);
	is $again->{json}{operation}{id}, $first, 'the same operation, although it has ended';
	my $other = $daemon->xrpc_post('triggerBackfill',
		{ %request, did => null_op_did('finish') });
	is $other->{status}, 409, 'the key of another request is refused';
	is $other->{json}{error}, 'IdempotencyKeyReused', 'with its name';
	my $long = $daemon->ctl('trigger', 'did-sync', '--did', null_op_did('finish'),
		'--idempotency-key', 'k' x 256);	# LIMIT_IDEMPOTENCY_KEY_BYTES
	isnt $long->{status}, 0, 'one that is too long is refused';
	$daemon->stop;
	$daemon->start;
	is $daemon->ctl('trigger', 'did-sync', '--did', $request{did}, '--idempotency-key',
		$request{idempotencyKey})->{json}{id}, $first, 'a restart forgets nothing';
};

# A type of ours and an operator's own; the limits of OP_PARAMS, of which each way in says the same.
subtest 'a parameter of 60 KB is named, with its limit and what was given' => sub {
	my $socket = IO::Socket::UNIX->new(Peer => $daemon->socket) or die "connect: $!";
	my $raw = Backfilld::Frames->new($socket);
	$raw->send('hello', version => Backfilld::Frames::version(), program => 'test', pid => $$);
	$raw->receive;
	my %most = (did => 2048, pdsUrl => 2048, uri => 8192, tier => 256, idempotencyKey => 255);
	for my $type (qw(freshness-scan own-words)) {
		for my $name (sort keys %most) {
			my $value = 'x' x 61_440;
			my $says = "$name is longer than $most{$name} bytes: it has 61440";
			is $daemon->xrpc_post('triggerBackfill', { type => $type, $name => $value })
				->{json}{message}, $says, "$type $name: the API";
			my $option = '--' . $name =~ s/([A-Z])/-\l$1/gr;
			like $daemon->ctl('trigger', $type, $option, $value)->{err},
				qr/\Abackfillctl: trigger: $says\n/, 'backfillctl';
			$raw->send('trigger', req => 1, type => $type,
				$name =~ s/([A-Z])/_\l$1/gr => $value);
			my $answer = $raw->receive;
			is "$answer->{name} $answer->{text}", "InvalidRequest $says", 'the supervisor';
		}
	}
	my $says = 'batchSize is greater than 100000: it is 4294967296';
	is $daemon->xrpc_post('triggerBackfill', { type => 'own-words', batchSize => 2**32 })
		->{json}{message}, $says, 'a number: the API';
	like $daemon->ctl('trigger', 'own-words', '--batch-size', 2**32)->{err},
		qr/\Abackfillctl: trigger: $says\n/, 'backfillctl';
	$says = 'itemsOf is longer than 13 bytes: it has 61440';
	is $daemon->xrpc_post('triggerBackfill', { type => 'did-sync', itemsOf => 'x' x 61_440 })
		->{json}{message}, $says, 'a retry: the API';
	like $daemon->ctl('retry', '--failed', 'x' x 61_440)->{err},
		qr/\Abackfillctl: retry: $says\n/, 'backfillctl';
};

subtest 'an idempotency key: from two at once' => sub {
	my $did = null_op_did('run');
	my @ids = map {
		open my $from, '-|', "$Backfilld::Test::BUILDDIR/backfillctl", '-s',
			$daemon->socket, 'trigger', 'did-sync', '--did', $did,
			'--idempotency-key', 'both' or die $!;
		$from;
	} 1 .. 4;
	chomp(@ids = map { scalar <$_> } @ids);
	is_deeply \@ids, [ ($ids[0]) x 4 ], 'all have the same id';
	$daemon->xrpc_post('cancelBackfill', { id => $ids[0] });
};

$daemon->finish;

subtest 'limits per type; and a place that bulk work leaves free' => sub {
	my $libexec = null_op_libexec();
	symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/$_"
		for qw(pds-scan freshness-scan);
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		max_workers => 4, max_workers_per_type => ['pds-scan=2', 'didSync=1'] });
	$daemon->start;
	my @scans = map { $daemon->trigger('pds-scan', pdsUrl => "https://run.n$_.test") }
		1 .. 3;
	$daemon->wait_status($_, 'running') for @scans[0, 1];
	my $sync = $daemon->trigger('did-sync', did => null_op_did('run'));
	$daemon->wait_status($sync, 'running');
	my $second = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->operation($scans[2])->{status}, 'queued', 'a third scan waits';
	is $daemon->operation($second)->{status}, 'queued', 'a second did-sync, too';

	# Now three places for bulk work, of which the scans want all.
	$daemon->set(max_workers_per_type => []);
	$daemon->signal('HUP');
	$daemon->wait_status($scans[2], 'running');
	my $bulk = $daemon->trigger('freshness-scan');
	$daemon->xrpc_post('cancelBackfill', { id => $sync });
	is $daemon->wait_finished($second)->{status}, 'completed', 'the did-sync passes';
	is $daemon->operation($bulk)->{status}, 'queued', 'the fourth bulk one waits';
	$daemon->xrpc_post('cancelBackfill', { id => $scans[0] });
	is $daemon->wait_finished($bulk)->{status}, 'completed', 'until there is a place';
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for @scans;
	$daemon->finish;
};

subtest 'interactive ones go before bulk ones that are older' => sub {
	my $libexec = null_op_libexec();
	symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/pds-scan";
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		max_workers => 1 });
	$daemon->start;
	my $first = $daemon->trigger('did-sync', did => null_op_did('run'));
	$daemon->wait_status($first, 'running');
	my $bulk = $daemon->trigger('pds-scan', pdsUrl => 'https://finish.test');
	my $quick = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->xrpc_post('cancelBackfill', { id => $first });
	my @ends = map { $daemon->wait_finished($_)->{completedAt} } $quick, $bulk;
	ok $ends[0] lt $ends[1], 'the did-sync, then the older scan';
	$daemon->finish;
};

subtest 'two operations on one account never run together' => sub {
	my $libexec = null_op_libexec();
	symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/own-type";
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	$daemon->start;
	my $did = null_op_did('run');
	my $first = $daemon->trigger('did-sync', did => $did);
	$daemon->wait_status($first, 'running');
	my $second = $daemon->trigger('own-type', did => $did);
	my $third = $daemon->trigger('own-type', did => null_op_did('finish'));
	is $daemon->wait_finished($third)->{status}, 'completed', 'another account: at once';
	is $daemon->operation($second)->{status}, 'queued', 'the same account: it waits';
	$daemon->xrpc_post('cancelBackfill', { id => $first });
	$daemon->wait_status($second, 'running');
	$daemon->xrpc_post('cancelBackfill', { id => $second });
	$daemon->finish;
};

done_testing;
