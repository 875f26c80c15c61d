# catch-up from relays that misbehave: events of a real PDS, replayed with cuts, gaps,
# repetitions, garbage and wrong numbers; and a daemon that is killed again and again.
# The index is what the PDS lists, each time.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;
use Time::HiRes ();

use Backfilld::FakeRelay;
use Backfilld::KillPlan;
use Backfilld::Net;
use Backfilld::Test;

use constant { ACCOUNTS => 3, EVENTS => 40, KILLS => 20, DAEMON_KILLS => 6 };

my $canonical = JSON::PP->new->canonical;
my $net = Backfilld::Net->start(pds => 1);
my @accounts = $net->seed(accounts => ACCOUNTS, records => 10);
my $relay = Backfilld::FakeRelay->start($net->pds_url(0));
my $template = File::Temp->newdir;	# an index, and a position, of before it all

sub new_daemon {
	my (%start) = @_;
	my $daemon = Backfilld::Test->new(net => $net, settings => {
		relay_url => $relay->url, relay_idle_ms => 500, max_attempts => KILLS + 5 });

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

my %listed;
sub is_as_listed {
	my ($daemon) = @_;
	my @wrong = grep {
		$canonical->encode(index_of($daemon, $_))
			ne $canonical->encode($listed{ $_->did } //= $_->list_records)
	} @accounts;

	is join(' ', map { $_->did } @wrong), '', 'the index is what the PDS lists';
}

sub has_note {
	my ($daemon, $operation, $pattern) = @_;
	return $daemon->log =~ /op $operation->{id} worker \d+: [^\n]*$pattern/;
}

# --- what happened, and an index of before ---

my @before = Backfilld::FakeRelay::record($net->pds_url(0));
$relay->set_frames(@before);
$relay->script({});
{
	my $daemon = new_daemon();

	is catch_up($daemon)->{recordsProcessed}, @before, 'events of before';
	my $state = $daemon->dir . '/state';
	$daemon->stop;
	system('cp', '-a', "$state/.", "$template") == 0 or die 'cp';
	$daemon->{is_finished} = 1;
}

my @posts = grep { m{^app\.bsky\.feed\.post/} } sort keys %{ $accounts[0]->list_records };
for my $n (1 .. EVENTS) {
	my $account = $accounts[$n % ACCOUNTS];

	if ($n == 6) { $accounts[0]->delete(split m{/}, $posts[0]) }
	elsif ($n == 9) { $accounts[0]->put(split(m{/}, $posts[1]), { text => 'replaced' }) }
	else { $account->create('app.bsky.feed.post', { text => "event $n" }) }
}
my @frames = Backfilld::FakeRelay::record($net->pds_url(0));
my $known = @before;		# the PDS numbers its events from 1 on
is @frames, $known + EVENTS, 'the PDS tells of each change';
$relay->set_frames(@frames);

# --- relays that misbehave ---

my %changes = (created => EVENTS - 2, updated => 1, deleted => 1);
my @cases = (
	{ name => 'a relay as it should be', script => [ {} ] },
	{ name => 'a connection that is cut again and again',
		script => [ (map { { cut_after => $_ } } 3, 1, 7), {} ], connections => 4 },
	{ name => 'a connection that is cut inside a frame',
		script => [ { cut_inside => 5 }, {} ], connections => 2 },
	{ name => 'a relay that is down for a while',
		script => [ { refuse => 503 }, { refuse => 502 }, {} ], connections => 3 },
	{ name => 'every event three times', script => [ { repeat => 3 } ] },
	{ name => 'frames that come in small pieces', script => [ { pieces => 100 } ] },
	{ name => 'a relay that begins earlier than it was asked to',
		script => [ { after => $known - 5 } ] },
	{ name => 'a proper close in the middle',
		script => [ { drop => [ $known + 21 .. $known + EVENTS ], end => 1 }, {} ],
		connections => 2 },
	{ name => 'a word that is none of ours between the events',
		script => [ { insert => { $known + 5 =>
			Backfilld::FakeRelay::info_frame('#info', 'Hello') } } ] },
	{ name => 'one event that is missing',
		script => [ { drop => [ $known + 7 ] } ], events => EVENTS - 1, resync => 1 },
	{ name => 'ConsumerTooSlow',
		script => [ { insert => { $known + 5 =>
			Backfilld::FakeRelay::error_frame('ConsumerTooSlow') } }, {} ],
		connections => 2 },
	{ name => 'OutdatedCursor',
		script => [ { after => $known + 30, first =>
			Backfilld::FakeRelay::info_frame('#info', 'OutdatedCursor') } ],
		events => EVENTS - 30, loss => 'older than what the relay keeps' },
	{ name => 'FutureCursor', script => [
			{ mute => 0, after => 1e9,
				last => Backfilld::FakeRelay::error_frame('FutureCursor') }, {} ],
		events => $known + EVENTS, loss => 'in the relay\'s future', connections => 2 },
	{ name => 'a relay that waits silently for a number it has not reached',
		script => [ { mute => 1 }, { mute => 1 }, {} ],
		events => $known + EVENTS, loss => 'does not know the saved position',
		connections => 3 },
	{ name => 'a frame that cannot be read',
		script => [ { insert => { $known + 5 => "\xff\x00garbage" } } ],
		loss => 'BadCbor' },
	{ name => 'a frame over the limit', script => [
			{ insert => { $known + 5 => "\0" x (5 * 1024 * 1024 + 1) } },
			{ } ],
		connections => 2, events => EVENTS - 1, loss => 'over \d+ bytes' },
);

for my $case (@cases) {
	subtest $case->{name} => sub {
		my $daemon = new_daemon();

		$relay->script(@{ $case->{script} });
		my $operation = catch_up($daemon);
		is scalar($relay->ledger), $case->{connections} // 1,
			'as many connections as it takes';
		is $operation->{recordsProcessed}, $case->{events} // EVENTS,
			'every event is counted once';
		is_as_listed($daemon);
		is_deeply $operation->{changes}, \%changes, 'and nothing is written twice';
		my $loss = $case->{loss};
		is has_note($daemon, $operation, 'events are missing') ? 1 : 0, $loss ? 1 : 0,
			$loss ? 'the loss is noticed' : 'no loss is seen where there is none';
		ok has_note($daemon, $operation, $loss), 'and why' if $loss;

		# Without a fault of its own, the next one has nothing to do.
		$relay->script({});
		is catch_up($daemon)->{changes}{created} // 0, 0, 'the position is saved';
		$daemon->finish;
	};
}

subtest 'a relay that closes every stream without an event' => sub {
	my $daemon = new_daemon();

	$daemon->set(host_patience_ms => 1000);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded/);
	$relay->script({ after => 1e9, end => 1 });
	my $operation = $daemon->wait_finished($daemon->trigger('catch-up'), 120);
	is $operation->{status}, 'failed', 'it fails in the end';
	is $operation->{errorClass}, 'unreachable', 'of a class that there is';
	is $operation->{error}, $relay->url . ': the stream was closed', 'and says why';
	$daemon->finish;
};

sub is_undisturbed {
	my ($daemon, $operation) = @_;

	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is $operation->{recordsProcessed}, EVENTS, 'every event is counted once';
	is_as_listed($daemon);
	is_deeply $operation->{changes}, \%changes, 'and nothing is written twice';
}

subtest 'a worker that is killed at 20 random moments' => sub {
	my $plan = Backfilld::KillPlan->new;

	# So slowly that there is a checkpoint, and something left to do behind it.
	$relay->script({ pace_ms => 100 });
	my $calm = new_daemon($plan->count);
	my $turns = $plan->turns($calm, catch_up($calm)->{id});
	$calm->finish;

	my $daemon = new_daemon($plan->kill(KILLS, $turns / 10));
	my $id = $daemon->trigger('catch-up');
	my $operation = $daemon->wait_finished($id, 120);
	is $plan->kills($daemon, $id), KILLS, 'killed ' . KILLS . ' times';
	is $operation->{attempt}, KILLS + 1, 'an attempt for each, and the last';
	is_undisturbed($daemon, $operation);
	$daemon->finish;
};

subtest 'a daemon that is killed' => sub {
	my $daemon = new_daemon();

	$relay->script({ pace_ms => 300 });
	my $id = $daemon->trigger('catch-up');
	for my $kill (1 .. DAEMON_KILLS) {
		$daemon->wait_child('catch-up');
		my $until = Time::HiRes::time() + 0.1 + rand 1.1;
		wait_for { Time::HiRes::time() > $until
			|| $daemon->operation($id)->{status} ne 'running' } 30, 'a moment';
		$daemon->kill_hard;
		$daemon->start;
		last if $daemon->operation($id)->{status} !~ /running|queued/;
	}
	my $operation = $daemon->wait_finished($id, 120);
	cmp_ok $operation->{attempt}, '>', 1, "in $operation->{attempt} attempts";
	is_undisturbed($daemon, $operation);
	$daemon->finish;
};

$relay->stop;
done_testing;
