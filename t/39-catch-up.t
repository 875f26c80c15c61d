# catch-up from a real PDS, which is its own relay: what its accounts did while
# nobody looked is in the index afterwards, and nothing else.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Net;
use Backfilld::Test;

use constant ACCOUNTS => 10;

my $net = Backfilld::Net->start(pds => 2);
my @accounts = $net->seed(accounts => ACCOUNTS, records => 40, pds => 0);
my $daemon = Backfilld::Test->new(net => $net, settings => {
	relay_url => $net->pds_url(0), relay_idle_ms => 1000, max_workers => ACCOUNTS,
});
$daemon->start;

sub index_of {
	my ($account) = @_;
	return { map {
		my ($path) = $_->{uri} =~ m{^at://[^/]+/(.+)$};
		$path => { cid => $_->{cid}, value => $_->{value} }
	} @{ $daemon->records('--did', $account->did) } };
}

sub is_indexed {
	my ($account, $what) = @_;
	my ($indexed, $listed) = (index_of($account), $account->list_records);

	return is keys %$indexed, keys %$listed, "$what: as many records as the PDS lists"
		if keys %$indexed != keys %$listed;
	return is_deeply $indexed, $listed, "$what: the same records, CIDs and contents";
}

sub catch_up {
	my $id = $daemon->trigger('catch-up');
	my $operation = $daemon->wait_finished($id, 120);

	is $operation->{status}, 'completed', 'catch-up completes' or diag $operation->{error};
	return $operation;
}

sub has_note {
	my ($operation, $pattern) = @_;
	return $daemon->log =~ /op $operation->{id} worker \d+: [^\n]*$pattern/;
}

subtest 'without a position everything is compared' => sub {
	my $operation = catch_up();

	ok has_note($operation, 'no position was saved'), 'it is said';
	is_indexed($_, 'never seen before') for @accounts;
	cmp_ok $operation->{recordsProcessed}, '>', 0, 'events were read';
	is $operation->{totalRecords}, $operation->{recordsProcessed}, 'and that was all';
};

subtest 'nothing happened' => sub {
	my $operation = catch_up();

	is $operation->{recordsProcessed}, 0, 'no event';
	ok !has_note($operation, 'events are missing'), 'and none is missed';
};

subtest 'what accounts did meanwhile' => sub {
	my ($busy, $off, $gone, $moved, $tombstoned, $rotated) = @accounts;
	my $listed = $busy->list_records;
	my ($replaced, $deleted) = (grep { m{^app\.bsky\.feed\.post/} } sort keys %$listed)[0, 1];

	$busy->create('app.bsky.feed.post', { text => 'new, with ünïcode 🧪' });
	$busy->put(split(m{/}, $replaced), { text => 'replaced' });
	$busy->delete(split m{/}, $deleted);
	$busy->create('pub.chive.eprint.submission', { title => "Number $_" }) for 1 .. 30;
	my $before = index_of($off);
	$off->deactivate;
	$gone->delete_account;
	$moved->migrate(1);
	$moved->create('app.bsky.feed.post', { text => 'from my new home' });
	$tombstoned->tombstone;
	$tombstoned->delete_account;
	$rotated->rotate_key;
	$rotated->create('app.bsky.feed.post', { text => 'by my new key' });

	my $operation = catch_up();
	is_indexed($busy, 'created, replaced, deleted');
	is_deeply index_of($off), $before, 'a deactivated account keeps its records';
	is keys %{ index_of($gone) }, 0, 'a deleted one leaves nothing';
	is keys %{ index_of($tombstoned) }, 0, 'nor does one whose DID has ended';
	is_indexed($moved, 'one that moved away');
	is_indexed($rotated, 'one that has another key');
	is_indexed($_, 'one that did nothing') for @accounts[6 .. 9];
	cmp_ok $operation->{recordsProcessed}, '>=', 34, 'at least their events';
	is $operation->{itemsFailed} // 0, 0, 'none fails';
	is $operation->{changes}{created}, 31 + 1 + 1, 'what was created, by all three';
	is $operation->{changes}{updated}, 1, 'replaced';
	ok !has_note($operation, 'events are missing'), 'nothing was missed';

	$off->activate;
	$off->create('app.bsky.feed.post', { text => 'back again' });
	catch_up();
	is_indexed($off, 'one that is back');
};

subtest 'most of it needs no more than the event' => sub {
	my $account = $accounts[6];

	$account->create('app.bsky.feed.post', { text => "number $_" }) for 1 .. 20;
	my $operation = catch_up();
	is $operation->{recordsProcessed}, 20, 'an event each';
	is $operation->{changes}{created}, 20, 'a record each';
	is_indexed($account, 'twenty posts');
	cmp_ok $operation->{usage}{bytesFetched}, '<', 20 * 20_000, 'no repository is fetched';
};

subtest 'full-sync notes where to go on from' => sub {
	my $other = Backfilld::Test->new(net => $net, settings => {
		relay_url => $net->pds_url(0) . '/', relay_idle_ms => 1000 });
	my $account = $accounts[7];

	$other->start;
	my $id = $other->trigger('full-sync');
	is $other->wait_finished($id, 120)->{status}, 'completed', 'of an empty index';
	$account->create('app.bsky.feed.post', { text => 'after the full sync' });
	$id = $other->trigger('catch-up');
	my $operation = $other->wait_finished($id, 120);
	is $operation->{status}, 'completed', 'then a catch-up';
	is $operation->{recordsProcessed}, 1, 'which reads the one event since';
	unlike $other->log, qr/op $id [^\n]*events are missing/, 'and misses none';
	is scalar @{ $other->records('--did', $account->did) },
		scalar keys %{ $account->list_records }, 'the account is indexed whole';
	is_deeply $other->ctl('index', 'desynced')->{lines}, [], 'no mark is left';
	$other->finish;
};

$daemon->finish;
done_testing;
