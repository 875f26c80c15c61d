# F79: repositories whose transfer is cut, or reset, at each sixteenth: asked for again,
# and nothing of half a one is ever in the index.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Scans;
use Backfilld::Test;

use constant HOSTS => 15;	# one for each place, so that none waits for another

my $peer = Backfilld::FakePeer->start(hosts => HOSTS);
my $daemon = Backfilld::Test->new(net => $peer, settings => {
	hosts => [ map { $peer->pds_url($_) } 1 .. HOSTS ],
	host_requests_per_s => 1000, fetch_retries => 1, host_patience_ms => 1000 });
$daemon->start;
$peer->add(host => $_, records => 40) for 1 .. HOSTS;
run_scan($daemon, 'pds-scan');

# All that is indexed: {DID => revision}, and every record with its CID.
sub index_now {
	return ({ map { $_->{did} => "$_->{rev} $_->{status} $_->{records}" }
		@{ $daemon->ctl('repos')->{lines} } },
		{ map { $_->{uri} => $_->{cid} } @{ $daemon->records } });
}

# Every repository has changed; the one of host N is cut at N/16, so many times.
sub scan_with {
	my ($end, %more) = @_;
	$peer->set(number => 0, count => HOSTS, touch => 1);
	$peer->fault(kind => $end, ms => $_, on => 'getRepo', host => $_, %more)
		for 1 .. HOSTS;
	my $operation = run_scan($daemon, 'pds-scan');
	$peer->check_faults;
	return $operation;
}

for my $end (qw(cut reset)) {
	subtest "always $end" => sub {
		my ($repos, $records) = index_now();
		my $operation = scan_with($end);
		is $operation->{itemsFailed}, HOSTS, 'each is a failed item';
		is_deeply [ sort keys %{ { reverse %{ items_of($daemon, $operation) } } } ],
			['unreachable'], '... for that reason';
		my ($repos_now, $records_now) = index_now();
		is_deeply $repos_now, $repos, 'the repositories are as before';
		is_deeply $records_now, $records, 'and so is every record';
	};
	subtest "$end once" => sub {
		my ($repos) = index_now();
		my $operation = scan_with($end, times => 1);
		is $operation->{itemsFailed} // 0, 0, 'no item failed';
		is $operation->{recordsProcessed}, HOSTS, 'all are done';
		my ($repos_now) = index_now();
		is scalar(grep { $repos->{$_} eq $repos_now->{$_} } keys %$repos), 0,
			'and as the servers have them now';
	};
}

$daemon->finish;
$peer->stop;
done_testing;
