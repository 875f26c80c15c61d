# A scan that is paused comes to rest: what it has begun it finishes, so that nothing
# is asked for twice, and it begins nothing new.  It waits for no server for ever.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::FakePeer;
use Backfilld::Scans;
use Backfilld::Test;

use constant REPOS => 29;
use constant REST_S => 10;	# LIMIT_SCAN_REST_MS

my $peer = Backfilld::FakePeer->start(hosts => 3);
my $daemon = Backfilld::Test->new(net => $peer, settings => {
	relay_url => $peer->relay_url, fetch_retries => 0, host_requests_per_s => 1000,
	sync_concurrency => 2,	# one download of a server, so that none waits for another
	map { ("freshness_${_}_ms" => 0) } qw(urgent recent normal background) });

$peer->add(count => (REPOS - 1) / 2, host => $_, records => 1) for 1, 2;
my $alone = $peer->add(count => 1, host => 3, records => 1);
$peer->control('warm');
$daemon->start;

sub pause {
	my ($id) = @_;
	is $daemon->ctl('pause', $id)->{status}, 0, 'paused';
	return $daemon->wait_status($id, 'queued');
}

sub resume_to_end {
	my ($id) = @_;
	$daemon->ctl('resume', $id);
	my $operation = $daemon->wait_finished($id, 120);
	is $operation->{status}, 'completed', 'resumed, it completes'
		or diag $operation->{error};
	is $operation->{recordsProcessed}, REPOS, '... and has counted each once';
	is $operation->{itemsFailed} // 0, 0, '... of which none failed';
	return $operation;
}

# What each type asks a server for, of every repository; the answer takes its time.
for my $case (['pds-scan', 'getRepo'], ['freshness-scan', 'getLatestCommit'],
	['full-sync', 'getRepo']) {
	my ($type, $request) = @$case;
	subtest $type => sub {
		$peer->forget;
		$peer->fault(kind => 'drip', ms => 1, on => $request, why => "slow $request");
		my $id = $daemon->trigger($type);
		wait_for { $peer->asked($request) > 4 } 60, "some $request";
		my $rests = pause($id);
		my $asked = $peer->asked($request);
		cmp_ok $asked, '<', REPOS, 'it has stopped on its way';
		is $rests->{recordsProcessed}, $asked, 'what it has asked for it has finished';
		$peer->check_faults;
		resume_to_end($id);
		is $peer->asked($request), REPOS, 'each was asked for once';
	};
}

subtest 'a server that does not come to an end' => sub {
	$peer->forget;
	$peer->fault(kind => 'stall', on => 'getRepo', did => $peer->did($alone),
		why => 'for ever');
	my $id = $daemon->trigger('full-sync');
	$daemon->wait_operation($id, sub { ($_[0]{recordsProcessed} // 0) == REPOS - 1 },
		'to have done all others');
	my $start = Time::HiRes::time();
	is pause($id)->{recordsProcessed}, REPOS - 1, 'it rests without that one';
	cmp_ok Time::HiRes::time() - $start, '>', REST_S - 1, '... after it has waited for it';
	$peer->check_faults;
	resume_to_end($id);
	is $peer->asked('getRepo'), REPOS + 1, 'that one alone was asked for twice';
};

$daemon->finish;
$peer->stop;
done_testing;
