# pds-scan against real PDSs: everything that happens to accounts, and the index is
# what the PDSs say.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Net;
use Backfilld::Scans;
use Backfilld::Test;

my $net = Backfilld::Net->start;	# its own: all accounts are ours
my @accounts = $net->seed(accounts => 12, records => 40);
my $daemon = Backfilld::Test->new(net => $net, settings => {
	hosts => [ map { $net->pds_url($_) } 0, 1 ], host_requests_per_s => 1000 });
$daemon->start;

subtest 'a first scan of all servers' => sub {
	my $operation = run_scan($daemon, 'pds-scan');

	is $operation->{status}, 'completed', 'it completes';
	is $operation->{recordsProcessed}, 12, 'every repository';
	is $operation->{totalRecords}, 12, 'of as many';
	is $operation->{itemsFailed} // 0, 0, 'none failed';
	my $records = 0;
	$records += $_->{records} for @accounts;
	is_deeply $operation->{changes}, { created => $records, updated => 0, deleted => 0 },
		'the changes are what came into the index';
	is_indexed($daemon, $_, $_->did) for @accounts;
};

subtest 'unchanged repositories are not fetched again' => sub {
	my $before = run_scan($daemon, 'pds-scan');

	is $before->{recordsProcessed}, 12, 'all were looked at';
	is_deeply $before->{changes} // { created => 0, updated => 0, deleted => 0 },
		{ created => 0, updated => 0, deleted => 0 }, 'nothing changed';
	cmp_ok $before->{usage}{bytesFetched}, '<', 10_000, 'only two lists were fetched';
};

subtest 'what happens to accounts' => sub {
	my ($changed, $deactivated, $taken, $deleted, $tombstoned, $migrated, $rotated)
		= @accounts;
	my $kept = index_of($daemon, $deactivated);
	my $listed = $changed->list_records;
	my ($replaced, $removed) = (sort grep { m{^app\.bsky\.feed\.post/} } keys %$listed);

	$changed->create('app.bsky.feed.post', { text => 'new' });
	$changed->put(split(m{/}, $replaced), { text => 'replaced' });
	$changed->delete(split m{/}, $removed);
	$deactivated->deactivate;
	$taken->take_down;
	$deleted->delete_account;
	$tombstoned->tombstone;
	$tombstoned->delete_account;
	$migrated->migrate($migrated->pds eq $net->pds_url(0) ? 1 : 0);
	$migrated->create('app.bsky.feed.post', { text => 'from my new home' });
	$rotated->rotate_key;
	$rotated->create('app.bsky.feed.post', { text => 'by my new key' });

	my $operation = run_scan($daemon, 'pds-scan');
	is $operation->{status}, 'completed', 'it completes';
	is $operation->{itemsFailed} // 0, 0, 'all of that is no failure'
		or diag explain items_of($daemon, $operation);
	is_indexed($daemon, $changed, 'changed');
	is_deeply index_of($daemon, $deactivated), $kept, 'deactivated: its records stay';
	is row_of($daemon, $deactivated)->{status}, 'deactivated', 'and it is known as such';
	is row_of($daemon, $taken)->{status}, 'takendown', 'taken down: known as such';
	is_gone($daemon, $deleted, 'deleted');
	is_gone($daemon, $tombstoned, 'tombstoned');
	is_indexed($daemon, $rotated, 'with another key');
	is_indexed($daemon, $migrated, 'migrated');
	is row_of($daemon, $migrated)->{pdsUrl}, $migrated->pds, 'and known at its new home';

	$deactivated->activate;
	run_scan($daemon, 'pds-scan', pdsUrl => $deactivated->pds);
	is row_of($daemon, $deactivated)->{status}, 'active', 'active again';
	is_indexed($daemon, $deactivated, 'active again');
};

subtest 'a server that is down deletes nothing' => sub {
	my @there = grep { $_->pds eq $net->pds_url(1) } @accounts[6 .. 11];
	my $url = $net->pds_url(1);
	$net->stop_pds(1);
	$daemon->set(fetch_retries => 0, host_patience_ms => 1000);
	$daemon->stop;
	$daemon->start;
	my $operation = run_scan($daemon, 'pds-scan');
	is $operation->{status}, 'completed', 'the other server was scanned';
	is_deeply [ values %{ items_of($daemon, $operation) } ], ['unreachable'],
		'the one that is down is the one failed item';
	cmp_ok keys %{ index_of($daemon, $_) }, '>', 0, 'its records are there' for @there;
	is run_scan($daemon, 'pds-scan', pdsUrl => $url)->{status}, 'failed',
		'a scan of it alone has failed';
	$net->start_pds(1);
};
$daemon->finish;

subtest 'only wanted collections, and no download of what has none' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 1);
	my $wanting = Backfilld::Test->new(net => $peer, settings => {
		collections => ['pub.chive.*'], host_requests_per_s => 1000 });
	$wanting->start;
	$peer->add(count => 20, host => 1);
	my $first = $peer->add(count => 3, host => 1, chive => 1);
	my $operation = run_scan($wanting, 'pds-scan', pdsUrl => $peer->pds_url(1));
	is $operation->{recordsProcessed}, 23, 'every repository';
	is $operation->{changes}{created}, 3, 'the wanted records';
	is $peer->asked('describeRepo'), 23, 'each was asked what it has';
	is $peer->asked('getRepo'), 3, 'and fetched only if that is wanted';
	$peer->forget;
	run_scan($wanting, 'pds-scan', pdsUrl => $peer->pds_url(1));
	is $peer->asked('describeRepo') + $peer->asked('getRepo'), 0,
		'that is remembered while they do not change';
	$peer->set(number => $first - 1, touch => 1);
	run_scan($wanting, 'pds-scan', pdsUrl => $peer->pds_url(1));
	is $peer->asked('describeRepo'), 1, 'one that changed is asked again';
	$wanting->finish;
	$peer->stop;
};

subtest 'a relay tells who has the wanted collections' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 2);
	my $relaying = sub {
		my $daemon = Backfilld::Test->new(net => $peer, settings => {
			relay_url => $peer->relay_url, host_requests_per_s => 1000,
			fetch_retries => 0, collections => ['pub.chive.test.thing'], @_ });
		$daemon->start;
		$peer->forget;
		return $daemon;
	};
	$peer->add(count => 1500, host => 1);
	$peer->add(count => 3, host => 2, chive => 1);
	my $wanting = $relaying->();
	my $operation = run_scan($wanting, 'pds-scan');
	is $operation->{recordsProcessed}, 1503, 'every repository is handled';
	is $operation->{changes}{created}, 3, 'the wanted records are there';
	is $peer->asked('describeRepo'), 0, 'nobody is asked for what the relay has told';
	is $peer->asked('getRepo'), 3, 'and only those are fetched that it lists';
	like $wanting->log, qr/1500 repositories by the relay's lists, 0 by the word/,
		'the history says how many were not';
	$wanting->finish;

	$wanting = $relaying->(hosts => [ $peer->pds_url(2) ]);
	$peer->fault(kind => 'status', on => 'listReposByCollection', host => 0, status => 500,
		error => 'InternalServerError', why => 'the relay fails');
	$operation = run_scan($wanting, 'pds-scan');
	is $operation->{changes}{created}, 3, 'a relay that fails: the same records';
	is $peer->asked('describeRepo'), 1503, '... and each server is asked';
	like $wanting->log, qr/0 repositories by the relay's lists, 1500 by the word/,
		'... which is told, too';
	$peer->check_faults;
	$wanting->finish;

	$wanting = $relaying->();
	run_scan($wanting, 'pds-scan', pdsUrl => $peer->pds_url(2));
	is $peer->asked('describeRepo'), 3, 'for one server the relay is not asked';
	$wanting->finish;

	# LIMIT_WANTED_REPOS; without sanitizers where that is built, as it is many
	local $Backfilld::Test::BUILDDIR = $ENV{BF_PLAIN_BUILDDIR}
		|| $Backfilld::Test::BUILDDIR;
	$peer->add(count => 200_000, host => 2, chive => 1);
	$wanting = $relaying->();
	my $id = $wanting->trigger('pds-scan');
	wait_for { $wanting->log =~ /each server is asked: there are too many to remember/ }
		300, 'a list of too many to be given up';
	pass 'a list of too many is given up';
	$wanting->xrpc_post('cancelBackfill', { id => $id });
	$wanting->finish;
	$peer->stop;
};

subtest 'hosts of a relay; a host that lies behind a cut list deletes nothing' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 2);
	my $scanning = Backfilld::Test->new(net => $peer, settings => {
		relay_url => $peer->relay_url, host_requests_per_s => 1000, fetch_retries => 0 });
	$scanning->start;
	$peer->add(count => 1200, host => $_, records => 1) for 1, 2;
	is run_scan($scanning, 'pds-scan')->{recordsProcessed}, 2400, 'all of both hosts';

	# One that is gone from the list and from its host; one only from the list.
	$peer->set(number => 1100, status => $peer->GONE);
	$peer->set(number => 1101, unlisted => 1);
	my $cut = $peer->fault(kind => 'status', on => 'listRepos', host => 1, skip => 1,
		status => 500, error => 'InternalServerError', why => 'the list is cut');
	my $operation = run_scan($scanning, 'pds-scan');
	is $operation->{changes}{deleted}, 0, 'nothing is deleted by a cut list';
	is_deeply [ values %{ items_of($scanning, $operation) } ], ['unreachable'],
		'which is an item';
	$peer->check_faults;
	$operation = run_scan($scanning, 'pds-scan');
	cmp_ok $operation->{changes}{deleted}, '>', 0, 'a whole list finds what is gone';
	my %status = map { $_->{did} => $_->{status} } @{ $scanning->ctl('repos')->{lines} };
	is $status{ $peer->did(1100) }, 'deleted', 'what is gone for certain is deleted';
	is $status{ $peer->did(1101) }, 'active', 'what was only not listed is not';
	$scanning->finish;
	$peer->stop;
};

subtest 'servers whose lists failed are run again alone, and repositories beside' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 3);
	my $scanning = Backfilld::Test->new(net => $peer, settings => {
		relay_url => $peer->relay_url, host_requests_per_s => 1000, fetch_retries => 0,
		host_patience_ms => 1000 });
	my $again = sub {
		my $answer = $scanning->ctl('retry', '--failed', $_[0]{id});
		return $scanning->wait_finished($answer->{json}{id} // die($answer->{err}), 120);
	};
	$scanning->start;
	$peer->add(count => 30, host => $_, records => 1) for 1, 2, 3;
	my $bad = $peer->did(65);
	$peer->fault(kind => 'status', on => 'listRepos', host => $_, status => 500,
		error => 'InternalServerError', why => "the list of $_ fails") for 1, 2;
	$peer->fault(kind => 'status', on => 'getRepo', did => $bad, status => 403,
		error => 'Forbidden', why => 'one repository of 3 is not given out');
	my $first = run_scan($scanning, 'pds-scan');
	is_deeply items_of($scanning, $first), { $peer->pds_url(1) => 'unreachable',
		$peer->pds_url(2) => 'unreachable', $bad => 'refused' },
		'two servers and one repository failed';
	$peer->check_faults;
	$peer->forget;

	my $retry = $again->($first);
	is $retry->{status}, 'completed', 'the retry completes' or diag $retry->{error};
	is $retry->{recordsProcessed}, 61, 'all of these servers, and the one repository';
	is $retry->{itemsFailed} // 0, 0, 'none failed';
	is $peer->asked('listRepos', 3), 0, 'the server that went well is not listed again';
	is $peer->asked('getRepo', 3), 1, 'only its repository is fetched';
	is scalar @{ $scanning->ctl('repos')->{lines} }, 90, 'everything is indexed now';

	$peer->fault(kind => 'status', on => 'listRepos', host => 1, status => 500,
		error => 'InternalServerError', why => 'the list fails');
	my $one = run_scan($scanning, 'pds-scan', pdsUrl => $peer->pds_url(1));
	is $one->{status}, 'failed', 'a scan of one server, which failed';
	$peer->check_faults;
	is $again->($one)->{recordsProcessed}, 30, 'is run again likewise';
	$scanning->finish;
	$peer->stop;
};

$net->stop;
done_testing;
