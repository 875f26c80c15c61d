# How far a catch-up is while it compares a relay's list with the index, of which nobody
# tells how long it is; also by an attempt that goes on in the middle of it.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::FakeRelay;
use Backfilld::Test;

use constant { KNOWN => 30, UNKNOWN => 1000 };	# a page has 1000

my $peer = Backfilld::FakePeer->start(hosts => 2);
my $relay = Backfilld::FakeRelay->start($peer->pds_url(1));	# its list, and no event
my $daemon = Backfilld::Test->new(net => $peer, settings => { relay_url => $relay->url,
	relay_idle_ms => 200, host_requests_per_s => 1000, max_attempts => 9 });
$daemon->start;
$relay->script({});

# The list: half of those that are indexed, many that are not, and the other half.
$peer->add(count => KNOWN, host => 1, records => 1);
my $between = $peer->add(count => UNKNOWN, host => 2, records => 1);
$peer->add(count => KNOWN, host => 1, records => 1);
is $daemon->wait_finished($daemon->trigger('catch-up'), 120)->{status}, 'completed',
	'some are indexed';
is scalar @{ $daemon->ctl('repos')->{lines} }, 2 * KNOWN, '... of the relay, all';
$peer->set(number => $between, count => UNKNOWN, host => 1);
$peer->fault(kind => 'status', status => 429, retry_after => 60, host => 1, on => 'listRepos',
	skip => 1, error => 'RateLimitExceeded');

my $id = $daemon->trigger('catch-up');
for my $attempt (1, 2) {
	subtest "behind the first page, in attempt $attempt" => sub {
		my $runs = $daemon->wait_operation($id, sub {
			$_[0]{attempt} == $attempt && exists $_[0]{progress} }, 'to know how far');
		is $runs->{stage}, 'comparing', 'it compares';
		is_deeply $runs->{stageProgress}, { done => 1000, total => 2000 },
			'half of the indexed ones were on half of the list';
		is $runs->{progress}, 50, 'that is half of all';
		my ($pid) = $daemon->log =~ /op $id catch-up: started, attempt $attempt, worker (\d+)/;
		kill 'KILL', $pid if $attempt == 1;
	};
}
is $daemon->ctl('cancel', $id)->{status}, 0, 'enough';

$daemon->finish;
$relay->stop;
$peer->stop;
done_testing;
