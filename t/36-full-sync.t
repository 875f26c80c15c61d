# full-sync: everything anew, and what a relay knows beside.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Net;
use Backfilld::Scans;
use Backfilld::Test;

my $net = Backfilld::Net->get;
my @accounts = $net->seed(accounts => 6, records => 30);
my $daemon = Backfilld::Test->new(net => $net,
	settings => { host_requests_per_s => 1000 });
$daemon->start;

subtest 'an empty index' => sub {
	my $operation = run_scan($daemon, 'full-sync');
	is $operation->{status}, 'failed', 'nothing to do is no success';
	is $operation->{errorClass}, 'no-repositories', 'with a class of its own';
	like $operation->{error}, qr/did-sync.*pds-scan.*full_sync_file.*relay_url/,
		'which says what to do';
	isnt $daemon->ctl('trigger', 'full-sync', '--wait')->{status}, 0,
		'backfillctl ends accordingly';
};

$daemon->wait_finished($daemon->trigger('did-sync', did => $_->did)) for @accounts;

subtest 'every repository that is known' => sub {
	my ($changed, $deleted, $migrated, $deactivated, $rotated) = @accounts;
	my $kept = index_of($daemon, $deactivated);
	my ($replaced, $removed) =
		sort grep { m{^app\.bsky\.feed\.post/} } keys %{ $changed->list_records };

	$changed->create('app.bsky.feed.post', { text => 'new' });
	$changed->put(split(m{/}, $replaced), { text => 'replaced' });
	$changed->delete(split m{/}, $removed);
	$deactivated->deactivate;
	$deleted->delete_account;
	$migrated->migrate($migrated->pds eq $net->pds_url(0) ? 1 : 0);
	$migrated->create('app.bsky.feed.post', { text => 'from my new home' });
	$rotated->rotate_key;
	$rotated->create('app.bsky.feed.post', { text => 'by my new key' });
	my $operation = run_scan($daemon, 'full-sync');
	is $operation->{status}, 'completed', 'it completes';
	is $operation->{recordsProcessed}, 6, 'all of them';
	is $operation->{totalRecords}, 6, 'of as many';
	is $operation->{itemsFailed} // 0, 0, 'none failed'
		or diag explain items_of($daemon, $operation);
	is_gone($daemon, $deleted, 'deleted');
	is_deeply index_of($daemon, $deactivated), $kept, 'deactivated: its records stay';
	is row_of($daemon, $deactivated)->{status}, 'deactivated', 'and it is known as such';
	is_indexed($daemon, $_, $_->did) for @accounts[0, 2, 4, 5];
};
$daemon->finish;

subtest 'fetched again although nothing changed, and what a relay lists' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 2);
	my $relaying = Backfilld::Test->new(net => $peer, settings => {
		relay_url => $peer->relay_url, collections => ['pub.chive.test.thing'],
		host_requests_per_s => 1000 });
	$relaying->start;
	my $nothing = run_scan($relaying, 'full-sync');
	is $nothing->{status}, 'completed', 'with a relay that lists nobody it completes';
	like $relaying->log, qr/op $nothing->{id} [^\n]*nothing was synced/, 'and says so';
	my $first = $peer->add(count => 4, host => 1, chive => 1);
	$relaying->wait_finished($relaying->trigger('did-sync', did => $peer->did($first)));
	$peer->add(count => 5, host => 2);
	$peer->forget;
	my $operation = run_scan($relaying, 'full-sync');
	is $operation->{status}, 'completed', 'it completes';
	is $operation->{recordsProcessed}, 4, 'the known one and those of the relay';
	is $operation->{changes}{created}, 3, 'whose records came';
	is $peer->asked('getRepo', 1), 4, 'each fetched once, the known one too';
	is $peer->asked('getRepo', 2), 0, 'and nothing that is not wanted';
	$relaying->finish;
	$peer->stop;
};

subtest 'what a file lists' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 1);
	my $listing = Backfilld::Test->new(net => $peer, settings => {
		host_requests_per_s => 1000 });
	my $file = $listing->dir . '/dids';
	my $first = $peer->add(count => 700, host => 1, records => 1);
	open my $out, '>', $file or die "$file: $!";
	print $out "# ours\n\n", (map { $peer->did($first + $_) . "\n" } 0 .. 698),
		'  ', $peer->did($first), "\r\nnonsense\n", 'did:plc:', 'x' x 5000, "\n",
		$peer->did($first + 699);
	close $out;
	$listing->set(full_sync_file => $file);
	$listing->start;
	$listing->wait_finished($listing->trigger('did-sync', did => $peer->did($first)));
	$peer->forget;
	my $operation = run_scan($listing, 'full-sync');
	is $operation->{status}, 'completed', 'it completes';
	is $operation->{itemsFailed}, 2, 'two lines are no DIDs';
	is items_of($listing, $operation)->{nonsense}, 'invalid', '... and are told';
	is $operation->{recordsProcessed}, 702, 'everything else, and the known one';
	is scalar @{ $listing->ctl('repos')->{lines} }, 700, 'is indexed';
	is $peer->asked('getRepo'), 700, 'and each fetched once';

	my $empty = Backfilld::Test->new(net => $peer, settings => {
		full_sync_file => "$file.empty" });
	open $out, '>', "$file.empty" or die "$file.empty: $!";
	print $out "# nobody\n";
	close $out;
	$empty->start;
	$operation = run_scan($empty, 'full-sync');
	is $operation->{errorClass}, 'no-repositories', 'a file without a DID, and no other list';
	like $operation->{error}, qr/full_sync_file lists none/, '... is told';
	$empty->finish;

	unlink $file;
	$operation = run_scan($listing, 'full-sync');
	is_deeply items_of($listing, $operation), { full_sync_file => 'unreadable' },
		'a file that is not there is a failed item';
	is $operation->{recordsProcessed}, 700, 'and hinders nothing else';
	$listing->finish;
	$peer->stop;
};

done_testing;
