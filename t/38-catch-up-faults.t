# catch-up from relays that misbehave: events of a real PDS, replayed with cuts, gaps,
# repetitions, garbage and wrong numbers.  The index is what the PDS lists, each time.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::CatchUp;
use Backfilld::FakeRelay;
use Backfilld::Test;

my ($net, $relay, $known) = prepare_catch_up();	# the PDS numbers its events from 1 on

sub has_note {
	my ($daemon, $operation, $pattern) = @_;
	return $daemon->log =~ /op $operation->{id} worker \d+: [^\n]*$pattern/;
}

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
		is_deeply $operation->{changes}, CHANGES, 'and nothing is written twice';
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

subtest 'a relay that is gone in the middle' => sub {
	my $daemon = new_daemon();

	$daemon->set(host_patience_ms => 1000);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded/);
	$relay->script({ cut_after => 20 }, { refuse => 503 });
	my $operation = $daemon->wait_finished($daemon->trigger('catch-up'), 120);
	is $operation->{status}, 'failed', 'it fails';
	my $indexed = $operation->{changes}{created};
	cmp_ok $indexed, '>', 0, '... and tells what it has written';
	$relay->script({});
	is catch_up($daemon)->{changes}{created}, CHANGES->{created} - $indexed,
		'the next one does the rest';
	is_as_listed($daemon);
	$daemon->finish;
};

$relay->stop;
done_testing;
