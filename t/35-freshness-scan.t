# freshness-scan against real PDSs: what moved is found without any list, either
# way, and an outage deletes nothing.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Net;
use Backfilld::Scans;
use Backfilld::Test;

my %always = map { ("freshness_${_}_ms" => 0) } qw(urgent recent normal background);
my $net = Backfilld::Net->get;
my @accounts = $net->seed(accounts => 10, records => 30);
my $daemon = Backfilld::Test->new(net => $net,
	settings => { %always, host_requests_per_s => 1000 });
$daemon->start;
$daemon->wait_finished($daemon->trigger('did-sync', did => $_->did)) for @accounts;

subtest 'nothing has moved' => sub {
	my $before = row_of($daemon, $accounts[0])->{checkedAt};
	my $operation = run_scan($daemon, 'freshness-scan');

	is $operation->{recordsProcessed}, 10, 'each was checked';
	is $operation->{totalRecords}, 10, 'of as many';
	isnt row_of($daemon, $accounts[0])->{checkedAt}, $before, 'and is known to be';
};

subtest 'what happens to accounts' => sub {
	my ($changed, $deactivated, $deleted, $tombstoned, $migrated, $rotated) = @accounts;
	my $kept = index_of($daemon, $deactivated);

	$changed->create('app.bsky.feed.post', { text => 'new' });
	$deactivated->deactivate;
	$deleted->delete_account;
	$tombstoned->tombstone;
	$tombstoned->delete_account;
	$migrated->migrate($migrated->pds eq $net->pds_url(0) ? 1 : 0);
	$migrated->create('app.bsky.feed.post', { text => 'from my new home' });
	$rotated->rotate_key;
	$rotated->create('app.bsky.feed.post', { text => 'by my new key' });

	my $operation = run_scan($daemon, 'freshness-scan');
	is $operation->{status}, 'completed', 'it completes';
	is $operation->{itemsFailed} // 0, 0, 'all of that is no failure'
		or diag explain items_of($daemon, $operation);
	is $operation->{recordsProcessed}, 10, 'each was checked';
	is_indexed($daemon, $changed, 'changed');
	is_deeply index_of($daemon, $deactivated), $kept, 'deactivated: its records stay';
	is row_of($daemon, $deactivated)->{status}, 'deactivated', 'and it is known as such';
	is_gone($daemon, $deleted, 'deleted');
	is_gone($daemon, $tombstoned, 'tombstoned');
	is_indexed($daemon, $rotated, 'with another key');
	is_indexed($daemon, $migrated, 'migrated');
	is row_of($daemon, $migrated)->{pdsUrl}, $migrated->pds, 'and known at its new home';
};

subtest 'one tier alone' => sub {
	my %checked = map { $_ => run_scan($daemon, 'freshness-scan', tier => $_) }
		qw(urgent recent background);
	is $checked{urgent}{recordsProcessed}, 8, 'urgent: those that have just changed';
	is $checked{recent}{recordsProcessed}, 0, 'recent: none';
	is $checked{background}{recordsProcessed}, 2, 'background: those without a revision';
	is $checked{urgent}{params}{tier}, 'urgent', 'the operation knows which';
};
$daemon->finish;

my $peer = Backfilld::FakePeer->start(hosts => 2);
my $first = $peer->add(count => 5, host => 1);
$peer->add(count => 5, host => 2);
my $fresh = Backfilld::Test->new(net => $peer, settings => { %always,
	host_requests_per_s => 1000, fetch_retries => 0, host_patience_ms => 1000,
	hosts => [ map { $peer->pds_url($_) } 1, 2 ] });
$fresh->start;
$peer->set(number => 0, count => 10, touch => 5);
run_scan($fresh, 'pds-scan');

sub row { my ($n) = @_; return (grep { $_->{did} eq $peer->did($n) }
	@{ $fresh->ctl('repos')->{lines} })[0] }

subtest 'a revision that went back' => sub {
	my $before = row($first)->{rev};
	$peer->set(number => $first, version => 3);
	is run_scan($fresh, 'freshness-scan')->{itemsFailed} // 0, 0, 'no failure';
	cmp_ok row($first)->{rev}, 'lt', $before, 'is what the index has then';
};

subtest 'a key that was rotated while the old document is remembered' => sub {
	$peer->set(number => $first + 1, doc_key => 1, commit_key => 1, touch => 1);
	$peer->forget;
	my $operation = run_scan($fresh, 'freshness-scan');
	is $operation->{itemsFailed} // 0, 0, 'no failure';
	is $operation->{changes}{created} + $operation->{changes}{updated}
		+ $operation->{changes}{deleted}, 2, 'its changes came';
	is $peer->asked('plc'), 1, 'for which one document was asked again';
};

subtest 'an account that moved while the old document is remembered' => sub {
	$peer->set(number => $first + 2, host => 2, doc_host => 2, touch => 1);
	is run_scan($fresh, 'freshness-scan')->{itemsFailed} // 0, 0, 'no failure';
	is row($first + 2)->{pdsUrl}, $peer->pds_url(2), 'it is found at its new host';
	is row($first + 2)->{status}, 'active', 'and not taken for deleted';
};

subtest 'an outage deletes nothing' => sub {
	$peer->stop_host(2);
	my $operation = run_scan($fresh, 'freshness-scan');
	is $operation->{status}, 'completed', 'the other host was checked';
	is $operation->{itemsFailed}, 6, 'those of the host are failed items';
	my %classes = map { $_ => 1 } values %{ items_of($fresh, $operation) };
	is_deeply \%classes, { unreachable => 1 }, 'unreachable ones';
	is $operation->{changes}{deleted}, 0, 'nothing is deleted';
	is row($first + 5)->{status}, 'active', 'nor hidden';

	$peer->start_host(2);
	my $retry = $fresh->ctl('retry', '--failed', $operation->{id}, '--wait');
	my $again = $retry->{json} // $retry->{lines}[-1];
	is $again->{status}, 'completed', 'retry --failed' or diag explain $retry;
	is $again->{recordsProcessed}, 6, 'runs just those again';
};

subtest 'what was checked lately is left alone' => sub {
	$fresh->set(map { ("freshness_${_}_ms" => 3600_000) }
		qw(urgent recent normal background));
	$fresh->stop;
	$fresh->start;
	$peer->forget;
	is run_scan($fresh, 'freshness-scan')->{recordsProcessed}, 0, 'nothing is due';
	is $peer->asked('getLatestCommit'), 0, 'and nobody was asked';
};

$fresh->finish;
$peer->stop;
done_testing;
