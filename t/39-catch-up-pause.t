# A catch-up that is paused stops between two events, or two repositories, and goes
# on from there: nothing is read, counted or written twice.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::FakeRelay;
use Backfilld::Net;
use Backfilld::Test;

use constant EVENTS => 60;

my $canonical = JSON::PP->new->canonical;
my $net = Backfilld::Net->start(pds => 1);
my @accounts = $net->seed(accounts => 8, records => 10);
my $relay = Backfilld::FakeRelay->start($net->pds_url(0));
my $daemon = Backfilld::Test->new(net => $net, settings => {
	relay_url => $relay->url, relay_idle_ms => 1000 });

sub is_as_listed {
	for my $account (@accounts) {
		my %indexed = map { $_->{uri} =~ m{^at://[^/]+/(.+)$};
			$1 => { cid => $_->{cid}, value => $_->{value} } }
			@{ $daemon->records('--did', $account->did) };
		return fail $account->did . ' is indexed as the PDS lists it'
			if $canonical->encode(\%indexed) ne
				$canonical->encode($account->list_records);
	}
	return pass 'the index is what the PDS lists';
}

# Pause it, let a worker that was stopped hear of it, and wait until it rests.
sub pause {
	my ($id, $stopped) = @_;
	is $daemon->ctl('pause', $id)->{status}, 0, 'paused';
	kill 'CONT', $stopped if $stopped;
	return $daemon->wait_status($id, 'queued');
}

sub resume_to_end {
	my ($id) = @_;
	$daemon->ctl('resume', $id);
	my $operation = $daemon->wait_finished($id, 120);
	is $operation->{status}, 'completed', 'resumed, it completes'
		or diag $operation->{error};
	return $operation;
}

$relay->set_frames(Backfilld::FakeRelay::record($net->pds_url(0)));
$relay->script({});

subtest 'while it fetches repositories' => sub {
	$daemon->set(host_requests_per_s => 1);
	$daemon->start;
	my $id = $daemon->trigger('catch-up');
	my $worker;
	$daemon->wait_operation($id, sub {
		return if ($_[0]{stage} // '') ne 're-syncing';
		# Stopped while we look, or it would be done before we have seen it.
		$worker = $daemon->wait_child('catch-up');
		kill 'STOP', $worker;
		return 1 if @{ $daemon->ctl('repos')->{lines} } > 0;
		kill 'CONT', $worker;
		return;
	}, 'to have fetched one');
	my $rests = pause($id, $worker);
	my $left = @{ $daemon->ctl('index', 'desynced')->{lines} };
	cmp_ok $left, '>', 0, 'some are left';
	is $left + @{ $daemon->ctl('repos')->{lines} }, @accounts, 'the others are done';
	$daemon->set(host_requests_per_s => 1000);
	$daemon->stop;
	$daemon->start;
	my $operation = resume_to_end($id);
	is $operation->{recordsProcessed}, $rests->{recordsProcessed}, 'no event is counted again';
	is_deeply $daemon->ctl('index', 'desynced')->{lines}, [], 'nothing is left';
	is_as_listed();
};

subtest 'while it reads events' => sub {
	$accounts[$_ % @accounts]->create('app.bsky.feed.post', { text => "number $_" })
		for 1 .. EVENTS;
	$relay->set_frames(Backfilld::FakeRelay::record($net->pds_url(0)));
	$relay->script({ pace_ms => 30 }, {});
	my $id = $daemon->trigger('catch-up');
	$daemon->wait_operation($id, sub { ($_[0]{recordsProcessed} // 0) >= 10 },
		'to have read ten');
	my $rests = pause($id);
	cmp_ok $rests->{recordsProcessed}, '<', EVENTS, 'it stopped in between';
	is resume_to_end($id)->{recordsProcessed}, EVENTS, 'each event is counted once';
	my @connections = $relay->ledger;
	is $connections[-1]{cursor} - $connections[0]{cursor}, $rests->{recordsProcessed},
		'and read once: it went on behind the last one that was done';
	is_as_listed();
};

subtest 'while it reads events, it tells of how many and how long' => sub {
	$accounts[$_ % @accounts]->create('app.bsky.feed.post', { text => "again $_" })
		for 1 .. EVENTS;
	$relay->set_frames(Backfilld::FakeRelay::record($net->pds_url(0)));
	$relay->script({ pace_ms => 100 });
	my $id = $daemon->trigger('catch-up');
	for my $attempt ('first', 'second') {
		my $runs = $daemon->wait_operation($id, sub { $_[0]{status} eq 'running' &&
			defined $_[0]{etaSeconds} }, "to have an estimate in the $attempt attempt");
		cmp_ok $runs->{totalRecords}, '>=', $runs->{recordsProcessed},
			"the $attempt attempt knows of more than it has done";
		cmp_ok $runs->{totalRecords}, '<', 20 * EVENTS, '... and not of any number';
		cmp_ok $runs->{rate}, '>', 0, '... and how quick it is';
		last if $attempt eq 'second';
		pause($id);
		$daemon->ctl('resume', $id);
	}
	$relay->script({});
	my $operation = $daemon->wait_finished($id, 120);
	is $operation->{recordsProcessed}, EVENTS, 'each event is counted once';
	is $operation->{totalRecords}, EVENTS, 'and in the end the total is exact';
};

$daemon->finish;
$relay->stop;
$net->stop;
done_testing;
