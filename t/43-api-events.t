# /events: transitions at once, progress with measure, and what a reader missed.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::Api;
use Backfilld::Process qw(wait_for proc_rss_kib proc_fds);

my $api = Backfilld::Api->new(settings => {
	http_timeout_ms => 1000, http_max_connections => 3000,
	http_max_connections_per_address => 2500 });
my ($id) = $api->fill('create did-sync admin did:web:example.com');
$api->start;

sub listen_to {
	my ($query, %headers) = @_;
	my $connection = $api->ask('GET', '/events' . ($query // ''), headers => \%headers);
	my $head = $connection->stream;
	is $head->{status}, 200, 'a stream';
	is $head->{headers}{'content-type'}, 'text/event-stream; charset=utf-8', 'of events';
	return $connection;
}

# What the supervisor tells of a change.
sub change {
	my ($op_id, $status, %more) = @_;
	$api->tell('op', req => $api->{watch}, op => { id => $op_id, type => 'did-sync',
		status => $status, created_ms => 1700000000123, attempt => 1, %more });
}

sub is_sanitized {
	open my $config, '<', "$Backfilld::Api::BUILDDIR/config.h" or return 0;
	return scalar grep { /^#define BF_SANITIZED/ } <$config>;
}

my ($queued, $running, $completed) = (1, 2, 3);

subtest 'a change is told at once, with the operation' => sub {
	my $reader = listen_to();
	change($id, $running);
	my $event = $reader->event;
	is $event->{event}, 'operation', 'a transition';
	is $event->{json}{id}, $id, 'of this operation';
	is $event->{json}{status}, 'running', 'to running';
	change($id, $completed);
	is $reader->event->{json}{status}, 'completed', 'and the next';
};

subtest 'only those with a password may listen' => sub {
	is $api->get('/events', as => '')->{status}, 401, 'nobody';
	is $api->get('/events', as => [ 'admin', 'x' ])->{status}, 401, 'the wrong one';
};

subtest 'progress is told four times a second at most, and the latest always' => sub {
	my $reader = listen_to();
	change($id, $running);
	is $reader->event->{event}, 'operation', 'it starts';
	my $started = Time::HiRes::time();
	my ($processed, @seen) = (0);
	while (Time::HiRes::time() - $started < 2) {
		change($id, $running, records_processed => ++$processed);
		push @seen, $reader->event(1) if IO::Select->new($reader->{socket})->can_read(0.01);
	}
	change($id, $running, records_processed => 1_000_000);
	while (1) {
		push @seen, $reader->event;
		is $seen[-1]{event}, 'progress', 'progress' or last;
		last if $seen[-1]{json}{recordsProcessed} == 1_000_000;
	}
	my $seconds = Time::HiRes::time() - $started;
	cmp_ok scalar @seen, '>=', 4, 'it is told';
	cmp_ok scalar @seen, '<=', $seconds * 4 + 1, "but not $processed times";
	change($id, $running, records_processed => 1_000_001);
	change($id, $completed, records_processed => 1_000_002);
	is $reader->event->{json}{status}, 'completed', 'a transition does not wait for it';
	change('3kaaaaaaaaa2a', $queued);
	is $reader->event->{json}{status}, 'queued', 'nor does older progress follow it';
};

subtest 'a reader that comes back gets what it missed' => sub {
	my $reader = listen_to();
	change($id, $running);
	my $last = $reader->event->{id};
	$reader->close;
	change($id, $completed);
	change('3kaaaaaaaaa2b', $queued);
	$reader = listen_to('', 'Last-Event-ID' => $last);
	is $reader->event->{json}{status}, 'completed', 'the first';
	my $event = $reader->event;
	is $event->{json}{id}, '3kaaaaaaaaa2b', 'the second';
	$reader = listen_to('', 'Last-Event-ID' => $event->{id});
	change($id, $queued);
	is $reader->event->{json}{status}, 'queued', 'nothing twice';
};

subtest 'one whose id means nothing here starts over' => sub {
	for my $strange ('x', '3kaaaaaaaaa2a-5', '-', '9' x 200) {
		my $reader = listen_to('', 'Last-Event-ID' => $strange);
		is $reader->event->{event}, 'reset', "'" . substr($strange, 0, 20) . "': reset";
		change($id, $running);
		like $reader->event->{event}, qr/^(operation|progress)$/, 'and goes on';
	}
};

subtest 'one who was away for longer than LIMIT_FEED_EVENTS starts over' => sub {
	my $reader = listen_to();
	change($id, $completed);
	my $last = $reader->event->{id};
	change('3kaaaaaaaaa2c', $queued, did => 'x' x 200) for 1 .. 4200;
	is $reader->event->{json}{id}, '3kaaaaaaaaa2c', 'a reader keeps up' or return;
	$reader->close;
	is listen_to('', 'Last-Event-ID' => $last)->event->{event}, 'reset', 'reset';
	my $one = listen_to("?id=3kaaaaaaaaa2d");
	change('3kaaaaaaaaa2c', $queued);
	change('3kaaaaaaaaa2d', $queued);
	is $one->event->{json}{id}, '3kaaaaaaaaa2d', 'by id, only that one is told';
};

subtest 'the ring is bounded in bytes: LIMIT_FEED_BYTES' => sub {
	my $before = proc_rss_kib($api->{pid});
	change('3kaaaaaaaaa2e', 4, error_text => 'x' x 30000) for 1 .. 500;
	is $api->get('/livez')->{status}, 200, 'all of it is heard';
	my $grown = proc_rss_kib($api->{pid}) - $before;
	SKIP: {
		skip 'freed memory is kept by the address sanitizer', 1 if is_sanitized();
		cmp_ok $grown, '<', 8 * 1024, "15 MB of events make it grow by $grown KiB";
	}
};

subtest 'one who does not read is let go' => sub {
	my $reader = listen_to();
	my $text = 'x' x 30000;
	wait_for {
		change('3kaaaaaaaaa2e', 4, error_text => $text) for 1 .. 20;
		$api->get('/livez');
		# The kernel's buffers are full by now; the deadline is http_timeout_ms.
		keys %{ proc_fds($api->{pid}) } < 40 && ++$reader->{rounds} > 40
	} 60, 'much to be told';
	my $n = 0;
	eval { $n++ while $reader->event(5) };
	pass "it got $n events and its end";
	is $api->get('/livez')->{status}, 200, 'the API goes on';
};

subtest 'changes that the supervisor left out are a reset' => sub {
	my $reader = listen_to();
	$api->tell('end_list', req => $api->{watch});
	is $reader->event->{event}, 'reset', 'told to everybody';
	$api->{watch} = $api->expect('watch_all')->{req};
	change($id, $completed);
	is $reader->event->{json}{status}, 'completed', 'and it watches again';
};

subtest 'a thousand readers in little memory' => sub {
	my $before = proc_rss_kib($api->{pid});
	my @readers = map { $api->ask('GET', '/events') } 1 .. 1000;
	is scalar(grep { $_->stream->{status} == 200 } @readers), 1000, 'all listen';
	change($id, $running);
	is scalar(grep { $_->event->{json}{id} eq $id } @readers), 1000, 'all hear';
	my $each = (proc_rss_kib($api->{pid}) - $before) / 1000;
	note sprintf '%.1f KiB each', $each;
	cmp_ok $each, '<', 64, 'under 64 KiB each';
	$_->close for @readers;
	change('3kaaaaaaaaa2c', $queued) for 1 .. 3;
	wait_for { $api->get('/livez'); keys %{ proc_fds($api->{pid}) } < 100 } 30,
		'their connections to end';
};

subtest 'a stop ends the streams' => sub {
	my $reader = listen_to();
	$api->finish;
	ok !$reader->event, 'the end';
};

done_testing;
