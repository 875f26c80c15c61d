# did-sync against real PDSs: twenty accounts at once, and the index is what the
# PDS lists, before and after their owners change it.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Net;
use Backfilld::Test;

use constant ACCOUNTS => 20;

my $net = Backfilld::Net->get;
my @accounts = $net->seed(accounts => ACCOUNTS, records => 120);
my $daemon = Backfilld::Test->new(net => $net,
	settings => { max_workers => ACCOUNTS });
$daemon->start;

# What is indexed of an account: {'collection/rkey' => {cid, value}}.
sub index_of {
	my ($account) = @_;
	my $lines = $daemon->records('--did', $account->did);
	return { map {
		my ($path) = $_->{uri} =~ m{^at://[^/]+/(.+)$};
		$path => { cid => $_->{cid}, value => $_->{value} }
	} @$lines };
}

# Counts first: when they differ, they say more than two thousand lines of diff.
sub is_indexed {
	my ($account) = @_;
	my ($indexed, $listed) = (index_of($account), $account->list_records);
	my $did = $account->did;

	return is keys %$indexed, keys %$listed, "$did: as many records as the PDS lists"
		if keys %$indexed != keys %$listed;
	return is_deeply $indexed, $listed, "$did: the same records, CIDs and contents";
}

sub sync {
	my ($account) = @_;
	my $id = $daemon->trigger('did-sync', did => $account->did);
	return $daemon->wait_finished($id);
}

subtest 'twenty accounts at once' => sub {
	my %ids = map { $_->did => $daemon->trigger('did-sync', did => $_->did) } @accounts;

	for my $account (@accounts) {
		my $operation = $daemon->wait_finished($ids{$account->did}, 120);
		is $operation->{status}, 'completed', 'it completes'
			or diag $operation->{error};
		is $operation->{recordsProcessed}, $account->{records}, 'all its records';
		is $operation->{totalRecords}, $account->{records}, 'which it knew to be all';
		is $operation->{changes}{created}, $account->{records}, 'all of them are new';
		is $operation->{itemsFailed} // 0, 0, 'none is refused';
		is_indexed($account);
	}
};

subtest 'an account that has not changed is not fetched again' => sub {
	my $operation = sync($accounts[0]);

	is $operation->{status}, 'completed', 'it completes';
	is $operation->{recordsProcessed}, 0, 'without a record';
	is $operation->{usage}{bytesFetched} // 0, 0, 'nor a byte of the repository';
};

subtest 'records that are created, replaced and deleted' => sub {
	for my $account (@accounts[0 .. 4]) {
		my $listed = $account->list_records;
		my ($replaced, $deleted) =
			(grep { m{^app\.bsky\.feed\.post/} } sort keys %$listed)[0, 1];

		$account->create('app.bsky.feed.post', { text => 'new, with ünïcode 🧪' });
		$account->put(split(m{/}, $replaced), { text => 'replaced' });
		$account->delete(split m{/}, $deleted);

		my $operation = sync($account);
		is $operation->{status}, 'completed', 'it completes'
			or diag $operation->{error};
		is_deeply $operation->{changes}, { created => 1, updated => 1, deleted => 1 },
			'each change is found, and nothing else';
		is_indexed($account);
	}
	is_indexed($accounts[5]);
};

subtest 'an account that moves to another PDS' => sub {
	my $account = $accounts[6];
	my $from = $account->pds;

	$account->migrate($from eq $net->pds_url(0) ? 1 : 0);
	$account->create('app.bsky.feed.post', { text => 'from my new home' });
	is sync($account)->{status}, 'completed', 'it is synced from there';
	is_indexed($account);
	isnt $account->pds, $from, 'it has moved';
};

# Does any line of its history say so?
sub has_note {
	my ($operation, $pattern) = @_;
	return $daemon->log =~ /op $operation->{id} worker \d+: [^\n]*$pattern/;
}

subtest 'a deactivated account keeps its records and comes back' => sub {
	my $account = $accounts[7];
	my $before = index_of($account);

	$account->deactivate;
	my $operation = sync($account);
	is $operation->{status}, 'completed', 'that is an outcome, no failure';
	ok has_note($operation, 'deactivated'), 'it is said';
	is_deeply index_of($account), $before, 'the records stay';
	$account->activate;
	is sync($account)->{status}, 'completed', 'active again';
	is_indexed($account);
};

subtest 'a taken-down account keeps its records' => sub {
	my $account = $accounts[8];
	my $before = index_of($account);

	$account->take_down;
	my $operation = sync($account);
	is $operation->{status}, 'completed', 'that is an outcome, no failure';
	ok has_note($operation, 'takendown'), 'it is said';
	is_deeply index_of($account), $before, 'the records stay';
};

subtest 'a deleted account and a tombstoned DID leave nothing' => sub {
	my ($deleted, $tombstoned) = @accounts[9, 10];

	$deleted->delete_account;
	$tombstoned->tombstone;
	for my $account ($deleted, $tombstoned) {
		my $operation = sync($account);
		is $operation->{status}, 'completed', 'that is an outcome, no failure'
			or diag $operation->{error};
		is keys %{ index_of($account) }, 0, 'no record is left';
		ok $operation->{changes}{deleted} > 0, 'they are counted as deleted';
	}
};

subtest 'a DID that nobody registered' => sub {
	my $id = $daemon->trigger('did-sync', did => 'did:plc:' . 'a' x 24);
	my $operation = $daemon->wait_finished($id);

	is $operation->{status}, 'failed', 'fails';
	is $operation->{errorClass}, 'not-found', 'as not found';
};

subtest 'only the collections that are wanted' => sub {
	my $account = $accounts[11];
	my $before = index_of($account);

	$daemon->stop;
	$daemon->set(collections => [ 'pub.chive.*', 'app.bsky.actor.profile' ]);
	$daemon->start;
	is sync($account)->{status}, 'completed', 'it completes, though nothing was changed';

	my $indexed = index_of($account);
	my @others = grep { !m{^(?:pub\.chive\.|app\.bsky\.actor\.profile/)} } keys %$indexed;
	ok keys %$indexed, 'some are indexed';
	is_deeply \@others, [], 'and no others, not even those that were';
	cmp_ok keys %$before, '>', keys %$indexed, 'which are gone';
};

$daemon->finish;
done_testing;
