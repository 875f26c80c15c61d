# A pds-scan of all known servers when none is known: it says so, and what to do.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePDS;
use Backfilld::FakePeer;
use Backfilld::Scans;
use Backfilld::Test;

my $peer = Backfilld::FakePeer->start(hosts => 1);
$peer->add(count => 3, host => 1, records => 1);
my $daemon = Backfilld::Test->new(net => $peer, settings => {
	fetch_retries => 0, host_requests_per_s => 1000 });
$daemon->start;

sub scan { return $daemon->wait_finished($daemon->trigger('pds-scan', @_)) }

sub restart_with {
	$daemon->set(@_);
	$daemon->stop;
	$daemon->start;
}

subtest 'nothing is configured and nothing indexed' => sub {
	my $operation = scan();
	is $operation->{status}, 'failed', 'it has failed';
	is $operation->{errorClass}, 'no-hosts', 'with a class of its own';
	like $operation->{error}, qr/pdsUrl.*\bhosts\b.*relay_url/, 'which says what to do';
	my $ctl = $daemon->ctl('trigger', 'pds-scan', '--wait');
	isnt $ctl->{status}, 0, 'backfillctl ends accordingly';
};

subtest 'hosts that may not be asked are none' => sub {
	restart_with(hosts => ['http://pds.test'], allow_plain_http => 'false');
	my $operation = scan();
	is $operation->{errorClass}, 'no-hosts', 'the same class';
	like $operation->{error}, qr/\bhosts\b/, 'and text';
	like $daemon->log, qr{hosts: http://pds.test is left out: only https is allowed},
		'and why that one is none';
};

subtest 'a relay that cannot be asked, or has no hosts' => sub {
	restart_with(hosts => [], relay_url => $peer->relay_url, allow_plain_http => 'true');
	$peer->fault(kind => 'status', status => 500, on => 'listHosts',
		error => 'InternalServerError', why => 'no list');
	my $operation = scan();
	is $operation->{status}, 'failed', 'it has failed';
	isnt $operation->{errorClass}, 'no-hosts', 'for what the relay did';
	like $operation->{error}, qr/no server is known.*relay.*listHosts/, 'which is told';
	$peer->check_faults;
	$peer->clear_faults;

	my $relay = Backfilld::FakePDS->start;
	$relay->answer(listHosts => undef, { body => '{"hosts":[]}',
		headers => { 'content-type' => 'application/json' } });
	restart_with(relay_url => $relay->url);
	$operation = scan();
	is $operation->{errorClass}, 'no-hosts', 'an empty list: none is known';
	$relay->stop;
};

subtest 'one server by its URL; from then on it is known' => sub {
	restart_with(relay_url => '');
	is scan(pdsUrl => $peer->pds_url(1))->{recordsProcessed}, 3, 'scanned';
	my $operation = scan();
	is $operation->{status}, 'completed', 'all known servers';
	is $operation->{recordsProcessed}, 3, 'are that one';
};

subtest 'a relay that cannot be asked does not matter once a server is known' => sub {
	restart_with(relay_url => $peer->relay_url);
	$peer->fault(kind => 'status', status => 500, on => 'listHosts',
		error => 'InternalServerError', why => 'no list');
	is scan()->{status}, 'completed', 'the known one is scanned';
	$peer->check_faults;
};

$daemon->finish;
$peer->stop;
done_testing;
