package Backfilld::CatchUp;

# What tests of catch-up share: a real PDS on which EVENTS things have happened since an
# index of before it all was made, and a relay that replays them as it is told.
#
#	my ($net, $relay) = prepare_catch_up();
#	$relay->script({ cut_after => 10 }, {});
#	my $daemon = new_daemon();
#	is_undisturbed($daemon, catch_up($daemon));

use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use Test::More;

use Backfilld::FakeRelay;
use Backfilld::Net;
use Backfilld::Test;

use constant { ACCOUNTS => 3, EVENTS => 40 };
use constant CHANGES => { created => EVENTS - 2, updated => 1, deleted => 1 };

our @EXPORT = qw(EVENTS prepare_catch_up new_daemon catch_up is_as_listed is_undisturbed
	CHANGES);

my $canonical = JSON::PP->new->canonical;
my ($net, $relay, $template, @accounts, %listed);

# Returns the network, the relay, and how many events there were before.
sub prepare_catch_up {
	$net = Backfilld::Net->start(pds => 1);
	@accounts = $net->seed(accounts => ACCOUNTS, records => 10);
	$relay = Backfilld::FakeRelay->start($net->pds_url(0));
	$template = File::Temp->newdir;

	my @before = Backfilld::FakeRelay::record($net->pds_url(0));
	$relay->set_frames(@before);
	$relay->script({});
	keep_index(scalar @before);
	make_events();
	my @frames = Backfilld::FakeRelay::record($net->pds_url(0));
	is @frames, @before + EVENTS, 'the PDS tells of each change';
	$relay->set_frames(@frames);
	return ($net, $relay, scalar @before);
}

# The index, and the position, of before.
sub keep_index {
	my ($events) = @_;
	my $daemon = new_daemon();

	is catch_up($daemon)->{recordsProcessed}, $events, 'events of before';
	my $state = $daemon->dir . '/state';
	$daemon->finish;
	system('cp', '-a', "$state/.", "$template") == 0 or die 'cp';
}

sub make_events {
	my @posts = grep { m{^app\.bsky\.feed\.post/} }
		sort keys %{ $accounts[0]->list_records };

	for my $n (1 .. EVENTS) {
		my $account = $accounts[$n % ACCOUNTS];

		if ($n == 6) { $accounts[0]->delete(split m{/}, $posts[0]) }
		elsif ($n == 9) {
			$accounts[0]->put(split(m{/}, $posts[1]), { text => 'replaced' });
		} else { $account->create('app.bsky.feed.post', { text => "event $n" }) }
	}
}

# One that has the index of before; the options are start()'s.
sub new_daemon {
	my (%start) = @_;
	my $daemon = Backfilld::Test->new(net => $net, settings => {
		relay_url => $relay->url, relay_idle_ms => 500, max_attempts => 100 });

	system('cp', '-a', "$template/.", $daemon->dir . '/state') == 0 or die 'cp'
		if -e "$template/records";
	$daemon->start(%start);
	return $daemon;
}

sub catch_up {
	my ($daemon) = @_;
	my $operation = $daemon->wait_finished($daemon->trigger('catch-up'), 120);

	is $operation->{status}, 'completed', 'catch-up completes' or diag $operation->{error};
	return $operation;
}

sub index_of {
	my ($daemon, $account) = @_;
	return { map {
		my ($path) = $_->{uri} =~ m{^at://[^/]+/(.+)$};
		$path => { cid => $_->{cid}, value => $_->{value} }
	} @{ $daemon->records('--did', $account->did) } };
}

sub is_as_listed {
	my ($daemon) = @_;
	my @wrong = grep {
		$canonical->encode(index_of($daemon, $_))
			ne $canonical->encode($listed{ $_->did } //= $_->list_records)
	} @accounts;

	is join(' ', map { $_->did } @wrong), '', 'the index is what the PDS lists';
}

sub is_undisturbed {
	my ($daemon, $operation) = @_;

	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is $operation->{recordsProcessed}, EVENTS, 'every event is counted once';
	is_as_listed($daemon);
	is_deeply $operation->{changes}, CHANGES, 'and nothing is written twice';
}

1;
