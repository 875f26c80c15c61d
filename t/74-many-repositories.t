# pds-scan of 100,000 repositories, most of which cost a look into the index: the
# worker's memory is flat.  In a build without sanitizers, which the directory
# BF_PLAIN_BUILDDIR names; elsewhere there are fewer, and memory is not measured.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

BEGIN {
	$ENV{BF_BUILDDIR} = $ENV{BF_PLAIN_BUILDDIR} if $ENV{BF_PLAIN_BUILDDIR};
}

use Test::More;

use Backfilld::FakePeer;
use Backfilld::Scans;
use Backfilld::Test;

use constant RSS_MOST_KIB => 64 * 1024;
use constant SYNCED => 300;

my $repos = $ENV{BF_PLAIN_BUILDDIR} ? 100_000 : 5_000;
my $peer = Backfilld::FakePeer->start(hosts => 1);
my $daemon = Backfilld::Test->new(net => $peer, settings => { log_level => 'info',
	host_requests_per_s => 100_000, host_connections => 8, host_downloads => 8 });
$daemon->start;

# Accounts that are not active have nothing to fetch; a few are.
my $first = $peer->add(count => $repos, host => 1, records => 1);
$peer->set(number => $first, count => $repos - SYNCED, status => $peer->DEACTIVATED);
$peer->control('warm');

for my $round ('first', 'second') {
	my $operation = run_scan($daemon, 'pds-scan', pdsUrl => $peer->pds_url(1));
	is $operation->{status}, 'completed', "the $round scan completes";
	is $operation->{recordsProcessed}, $repos, 'with every repository';
	my $rss = $operation->{usage}{maxRssKib};
	SKIP: {
		skip 'memory is not measured under sanitizers: no BF_PLAIN_BUILDDIR', 1
			unless $ENV{BF_PLAIN_BUILDDIR};
		cmp_ok $rss, '<', RSS_MOST_KIB, "the worker takes $rss KiB";
	}
}
is $peer->asked('getRepo'), SYNCED, 'what is active was fetched, once';

$daemon->finish;
$peer->stop;
done_testing;
