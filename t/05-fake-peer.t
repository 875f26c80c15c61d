# The fake peer that tests of scans rest on does what they take for granted: its
# repositories verify, change and vanish, and its faults happen when they should.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use HTTP::Tiny;
use JSON::PP;
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Test;

my $peer = Backfilld::FakePeer->start(hosts => 2);
my $daemon = Backfilld::Test->new(net => $peer, settings => { fetch_retries => 0 });
$daemon->start;

sub xrpc {
	my ($host, $method, %params) = @_;
	my $query = HTTP::Tiny->new->www_form_urlencode(\%params);
	my $response = HTTP::Tiny->new(timeout => 10)
		->get($peer->pds_url($host) . "/xrpc/com.atproto.sync.$method?$query");
	$response->{json} = eval { decode_json($response->{content}) };
	return $response;
}

sub sync {
	my ($did) = @_;
	return $daemon->wait_finished($daemon->trigger('did-sync', did => $did));
}

my $first = $peer->add(count => 5, host => 1, records => 10);
my $did = $peer->did($first);

subtest 'repositories verify, with what changed' => sub {
	my $operation = sync($did);
	is $operation->{status}, 'completed', 'synced' or diag $operation->{error};
	is $operation->{recordsProcessed}, 11, 'its records';
	$peer->set(number => $first, touch => 1);
	is_deeply sync($did)->{changes}, { created => 1, updated => 1, deleted => 0 },
		'a new version has a record more';
	$peer->set(number => $first, touch => 1);
	is_deeply sync($did)->{changes}, { created => 0, updated => 1, deleted => 1 },
		'the next one a record less';
};

subtest 'a list of them, by pages' => sub {
	my $page = xrpc(1, 'listRepos', limit => 3)->{json};
	is scalar @{ $page->{repos} }, 3, 'as many as asked for';
	is $page->{repos}[0]{did}, $did, 'with their DIDs';
	$page = xrpc(1, 'listRepos', limit => 3, cursor => $page->{cursor})->{json};
	is scalar @{ $page->{repos} }, 2, 'the rest';
	ok !exists $page->{cursor}, 'that was the last';
	is_deeply xrpc(2, 'listRepos')->{json}, { repos => [] }, 'another host has none';
	$peer->set(number => $first + 1, status => $peer->DEACTIVATED);
	$peer->set(number => $first + 2, status => $peer->GONE);
	my $repos = xrpc(1, 'listRepos')->{json}{repos};
	is scalar @$repos, 4, 'one is gone';
	is $repos->[1]{status}, 'deactivated', 'one is deactivated';
};

subtest 'states of accounts' => sub {
	my %expect = (DEACTIVATED => 'RepoDeactivated', SUSPENDED => 'RepoSuspended',
		TAKENDOWN => 'RepoTakendown', GONE => 'RepoNotFound');
	for my $state (sort keys %expect) {
		$peer->set(number => $first + 3, status => $peer->$state);
		my $answer = xrpc(1, 'getLatestCommit', did => $peer->did($first + 3));
		is $answer->{json}{error}, $expect{$state}, $expect{$state};
	}
};

subtest 'faults happen, as often as they shall, to whom they shall' => sub {
	$peer->fault(kind => 'status', on => 'getLatestCommit', host => 1, status => 429,
		error => 'RateLimitExceeded', retry_after => 7, skip => 1, times => 2);
	my @statuses = map { xrpc(1, 'getLatestCommit', did => $did)->{status} } 1 .. 4;
	is_deeply \@statuses, [ 200, 429, 429, 200 ], 'skip and times';
	$peer->check_faults;

	my $number = $peer->fault(kind => 'cut', on => 'getRepo', did => $did, after => 100);
	is xrpc(1, 'getRepo', did => $did)->{status}, 599, 'a cut transfer';
	is xrpc(1, 'getRepo', did => $peer->did($first + 4))->{status}, 200, 'of one alone';
	cmp_ok $peer->fired($number), '>=', 1, 'counted';
	$peer->clear_faults;
	$peer->stop_host(1);
	is xrpc(1, 'listRepos')->{status}, 599, 'a host that is down';
	$peer->start_host(1);
	is xrpc(1, 'listRepos')->{status}, 200, 'and up again';
};

is $peer->stop, 0, 'it ends cleanly';
$daemon->finish;
done_testing;
