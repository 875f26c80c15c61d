# F44: an account is taken down, deactivated, suspended or deleted while an operation is
# at it: in the middle of its download, and between a scan's list and its visit.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::FakePDS;
use Backfilld::FakePeer;
use Backfilld::Test;

# Of a commit that is not the one that is indexed: each sync downloads.
use constant OTHER_CID => 'bafyreihyytygaobgawe7aqhkwh6ekwzoytfpxo4skvx5vu4rsr6jaowpda';

my $vectors = ($ENV{BACKFILLD_VECTORS} // '') . '/derived/synthetic-cars';
plan skip_all => "no test vectors at $vectors" unless -e "$vectors/manifest.json";

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

sub repo_of {
	my ($daemon, $did) = @_;
	return (grep { $_->{did} eq $did } @{ $daemon->ctl('repos')->{lines} })[0];
}

subtest 'F44: in the middle of its download' => sub {
	my $did = 'did:plc:k256testaaaaaaaaaaaaaaaa';
	my $document = JSON::PP->new->decode(slurp("$vectors/manifest.json"))
		->{dids}{$did}{did_doc};
	my $good = slurp("$vectors/good-k256.car");
	my $fake = Backfilld::FakePDS->start;
	my $daemon = Backfilld::Test->new(net => $fake, settings => { fetch_retries => 2 });
	$daemon->start;

	my $sync = sub { $daemon->wait_finished($daemon->trigger('did-sync', did => $did)) };
	my $indexed = sub { [ sort map { "$_->{uri} $_->{cid}" }
		@{ $daemon->records('--did', $did) } ] };
	$fake->add_repo($did, $document, $good);
	$fake->answer(getLatestCommit => $did, { body => JSON::PP->new->encode(
		{ cid => OTHER_CID, rev => '3zzzzzzzzzzz2' }),
		headers => { 'content-type' => 'application/json' } });
	is $sync->()->{status}, 'completed', 'it is indexed';
	my $before = $indexed->();
	ok @$before > 0, 'with its records';

	for my $case ([ RepoTakendown => 'takendown' ], [ RepoSuspended => 'suspended' ],
			[ RepoDeactivated => 'deactivated' ]) {
		my ($error, $status) = @$case;
		my $asked = () = $fake->requests('getRepo');
		$fake->answer(getRepo => $did,
			{ file => $fake->file($good), cut_after => 5_000,
				headers => { 'content-type' => 'application/vnd.ipld.car' } },
			$fake->xrpc_error(400, $error));
		my $operation = $sync->();
		is scalar(() = $fake->requests('getRepo')) - $asked, 2,
			"$status: it went away under the download";
		is $operation->{status}, 'completed', 'that is an outcome';
		is_deeply $indexed->(), $before, 'its records stay';
		is repo_of($daemon, $did)->{status}, $status, 'with what it is now';
		$fake->add_repo($did, $document, $good);
		is $sync->()->{status}, 'completed', 'it comes back';
		is repo_of($daemon, $did)->{status}, 'active', 'as an active one';
	}

	$fake->answer(getRepo => $did,
		{ file => $fake->file($good), cut_after => 5_000,
			headers => { 'content-type' => 'application/vnd.ipld.car' } },
		$fake->xrpc_error(400, 'RepoNotFound'));
	my $operation = $sync->();
	is $operation->{status}, 'completed', 'deleted: an outcome, too';
	is_deeply $indexed->(), [], 'nothing of it is left';
	is $operation->{changes}{deleted}, scalar @$before, 'each record is counted';
	$daemon->finish;
	$fake->stop;
};

subtest 'F44: between the list and the visit' => sub {
	my $peer = Backfilld::FakePeer->start(hosts => 1);
	my $daemon = Backfilld::Test->new(net => $peer,
		settings => { host_requests_per_s => 100, fetch_retries => 0 });
	$daemon->start;
	my $first = $peer->add(count => 300, host => 1, records => 2);
	$peer->control('warm');
	my $scan = sub { $daemon->trigger('pds-scan', pdsUrl => $peer->pds_url) };
	is $daemon->wait_finished($scan->())->{status}, 'completed', 'all are indexed';
	my $each = @{ $daemon->records } / 300;
	cmp_ok $each, '>=', 2, 'with their records';

	# All have changed; from some of them on, they go while the scan is on its way.
	$peer->set(number => $first, count => 300, version => 2);
	my $id = $scan->();
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to begin');
	my @gone = ([ 200, Backfilld::FakePeer::TAKENDOWN, 'takendown' ],
		[ 230, Backfilld::FakePeer::DEACTIVATED, 'deactivated' ],
		[ 260, Backfilld::FakePeer::GONE, undef ]);
	$peer->set(number => $first + $_->[0], count => 20, status => $_->[1]) for @gone;
	my $done = $daemon->operation($id)->{recordsProcessed};
	cmp_ok $done, '<', 200, 'none of them was visited yet';
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'completed', 'the scan completes';
	is $operation->{itemsFailed} // 0, 0, 'that is no failure';

	my %repo = map { $_->{did} => $_ } @{ $daemon->ctl('repos')->{lines} };
	for my $case (@gone) {
		my ($from, undef, $status) = @$case;
		my @dids = map { $peer->did($first + $_) } $from .. $from + 19;
		my @found = grep { $repo{$_} && $repo{$_}{records} > 0 } @dids;
		if ($status) {
			is scalar(grep { $repo{$_}{status} eq $status } @dids), 20,
				"$status: known as that";
			is scalar @found, 20, 'their records stay';
		} else {
			is scalar @found, 0, 'deleted: nothing of them is left';
		}
	}
	# What changed has one record more.
	is scalar @{ $daemon->records }, 240 * ($each + 1) + 40 * $each, 'the others are whole';
	$daemon->finish;
	$peer->stop;
};

done_testing;
