# Services that hang, sockets that vanish, stops that have to be quick.

use strict;
use warnings;
use File::Path ();
use IO::Socket::INET;
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
	service_timeout_ms => 2000 });
$daemon->start;

for my $name (qw(backfill-indexer backfill-api backfill-resolver)) {
	subtest "$name that is stopped is replaced" => sub {
		my $old = $daemon->wait_child($name);
		$daemon->expect_error(qr/$name: process $old has not answered/);
		$daemon->expect_error(qr/$name: process $old was killed by signal 9/);
		$daemon->expect_error(qr/the index is gone|indexer/) if $name =~ /indexer/;
		kill 'STOP', $old;
		my $new;
		wait_for {
			($new) = grep { $_ != $old && is_alive($_) } $daemon->children($name)
		} 60, "another $name";
		ok !is_alive($old), 'the old one is gone';
	};
}

subtest 'those that answer are left alone' => sub {
	wait_for { $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'the API';
	my %before = map { $_ => $daemon->wait_child($_) }
		qw(backfill-indexer backfill-api backfill-resolver);
	# An operation that runs for longer than the timeout, on a loop that works.
	my $until = Time::HiRes::time() + 4;
	wait_for { Time::HiRes::time() > $until } 60, 'two timeouts to pass';
	is $daemon->wait_child($_), $before{$_}, "$_ is the same" for sort keys %before;
};

# Its hello has version 999; then it reads until it is ended.
use constant OF_ANOTHER_RELEASE => <<'EOF';
#!/usr/bin/perl
open my $control, '+<&=', 3 or die $!;
syswrite $control, pack 'N/a*', "\x94\x01\xcd\x03\xe7\xa1x\x01";
1 while sysread $control, my $rest, 4096;
EOF

for my $name (qw(backfill-indexer backfill-resolver)) {
	subtest "$name of another release does not become ready" => sub {
		my ($file, $old) = ("$libexec/$name", $daemon->wait_child($name));
		my $real = readlink $file or die "$file: $!";
		open my $to, '>', "$file.new" or die "$file: $!";
		print $to OF_ANOTHER_RELEASE;
		close $to or die $!;
		chmod 0755, "$file.new";
		rename "$file.new", $file or die "$file: $!";
		# Killed, or gone by itself when its channel was closed.
		$daemon->expect_error(
			qr/$name: process \d+ (?:was killed by signal 9|exited with status 0)/);
		$daemon->expect_error(qr/$name: speaks version 999/);
		$daemon->expect_error(qr/the index is gone|indexer/) if $name =~ /indexer/;
		kill 'KILL', $old;
		ok $daemon->wait_log(qr/$name: speaks version 999 (.*another release)/),
			'which is told';
		symlink $real, "$file.new" or die "$file: $!";
		rename "$file.new", $file or die "$file: $!";
		wait_for { my ($new) = $daemon->children($name);
			$new && (readlink("/proc/$new/exe") // '') =~ /$name$/ } 60, 'the right one';
	};
}

subtest 'the daemon itself was stopped: nobody is killed for it' => sub {
	my %before = map { $_ => $daemon->wait_child($_) }
		qw(backfill-indexer backfill-api backfill-resolver);
	$daemon->signal('STOP');
	my $until = Time::HiRes::time() + 4;
	wait_for { Time::HiRes::time() > $until } 60, 'two timeouts to pass';
	$daemon->signal('CONT');
	wait_for { $daemon->ctl('status')->{status} == 0 } 60, 'it to answer';
	$until = Time::HiRes::time() + 1;
	wait_for { Time::HiRes::time() > $until } 60, 'a ping or two';
	is $daemon->wait_child($_), $before{$_}, "$_ is the same" for sort keys %before;
};

subtest 'F22: an API that crashes again and again' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
	$daemon->wait_status($id, 'running');
	my @before = pauses();
	$daemon->expect_error(qr/backfill-api: process \d+ (?:exited with status 1|was killed)/);
	unlink "$libexec/backfill-api";
	open my $script, '>', "$libexec/backfill-api" or die $!;
	print $script "#!/bin/sh\nexit 1\n";
	close $script;
	chmod 0755, "$libexec/backfill-api";
	kill 'KILL', $daemon->wait_child('backfill-api');
	my @pauses;
	wait_for { @pauses = pauses(); splice @pauses, 0, @before; @pauses >= 5 } 60,
		'five starts';
	is_deeply [ @pauses[1 .. $#pauses] ], [ map { 2 * $_ } @pauses[0 .. $#pauses - 1] ],
		"each pause is twice the one before: @pauses";

	my $client = IO::Socket::INET->new(PeerAddr => $daemon->{address}, Timeout => 10);
	ok $client, 'connections are accepted meanwhile';
	syswrite $client, "GET /xrpc/_health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
	is $daemon->ctl('show', $id)->{json}{status}, 'running', 'operations go on';
	unlink "$libexec/backfill-api";
	symlink "$Backfilld::Test::BUILDDIR/backfill-api", "$libexec/backfill-api" or die $!;
	like scalar(<$client>), qr{^HTTP/1.1 200 }, 'and answered when it is back';
	$daemon->ctl('cancel', $id);
};

# How long the daemon has waited before each start of another API, in ms.
sub pauses {
	return $daemon->log =~ /backfill-api: .*; starting it again in (\d+) ms/g;
}

subtest 'the control socket comes back' => sub {
	unlink $daemon->socket;
	wait_for { -S $daemon->socket } 60, 'another one';
	is $daemon->ctl('status')->{status}, 0, 'it answers';
	File::Path::remove_tree("$daemon->{dir}/run");
	wait_for { -S $daemon->socket && -e "$daemon->{dir}/run/http.address" } 60,
		'the directory';
	is $daemon->ctl('status')->{status}, 0, 'it answers';
};

# How long the daemon takes to stop while half a request is there, and starts again.
sub stop_with_half_a_request {
	my $half = IO::Socket::INET->new(PeerAddr => $daemon->http_address) or die $!;
	print $half "POST /xrpc/pub.chive.admin.triggerBackfill HTTP/1.1\r\nHost: x\r\n",
		"Authorization: ", 'Basic YWRtaW46Y29ycmVjdCBob3JzZQ==', "\r\n",
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
	$half->flush;
	wait_for { $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'the API to have it';
	my $start = Time::HiRes::time();
	$daemon->stop;
	return Time::HiRes::time() - $start;
}

# On a busy machine everything takes its time: the best of three tells.
subtest 'half a request does not hold up a stop' => sub {
	my $best = 1e9;
	for my $try (1 .. 3) {
		my $took = stop_with_half_a_request();
		$best = $took if $took < $best;
		last if $best < 3;
		$daemon->start;
	}
	cmp_ok $best, '<', 3, 'under 3 s';
};

subtest 'an API that hangs and outlived its daemon makes room' => sub {
	my ($port) = do { my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
		or die $!; $s->sockport };
	$daemon->set(http_listen => "127.0.0.1:$port");
	$daemon->start;
	my $api = $daemon->wait_child('backfill-api');
	kill 'STOP', $api;
	wait_for { proc_state($api) eq 'T' } 10, 'it to stop';
	$daemon->kill_hard;
	ok is_alive($api), 'the API outlived the daemon';
	$daemon->start;
	ok !is_alive($api), 'it is gone';
	is $daemon->http_address, "127.0.0.1:$port", 'the new one has its port';
	$daemon->wait_log(qr/process $api of an earlier daemon keeps 127\.0\.0\.1:$port/);
};

subtest 'one that does not hang answers reads until then, and makes room by itself' => sub {
	my $api = $daemon->wait_child('backfill-api');
	my $address = $daemon->http_address;
	$daemon->kill_hard;
	wait_for { $daemon->get('/readyz')->{status} == 503 } 10, 'it to notice';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'it still answers';
	ok is_alive($api), 'being the old one';
	my $said = length $daemon->log;
	$daemon->start;
	is $daemon->http_address, $address, 'the new daemon has its port';
	wait_for { !is_alive($api) } 10, 'it to end';
	my $log = substr $daemon->log, $said;
	like $log, qr/a new supervisor is there: making room/, 'for its reason';
	unlike $log, qr/of an earlier daemon keeps/, 'nobody had to make it';
};

$daemon->finish;
done_testing;
