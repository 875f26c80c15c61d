# The control socket under attack: whatever a client sends, it loses only its own
# connection.

use strict;
use warnings;
use IO::Socket::UNIX;
use Socket qw(SOL_SOCKET SO_SNDBUF);
use File::Path ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::Frames;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec() });
$daemon->start;
my $fds = keys %{ proc_fds($daemon->pid) };

sub connected {
	my $socket = IO::Socket::UNIX->new(Peer => $daemon->socket)
		or die "connect: $!";
	return $socket;
}

sub greeted {
	my $socket = connected();
	my $peer = Backfilld::Frames->new($socket);
	$peer->send('hello', version => Backfilld::Frames::version(), program => 'test', pid => $$);
	is $peer->receive->{msg}, 'hello', 'hello is answered';
	return ($peer, $socket);
}

# True once the daemon has closed the connection.
sub is_closed {
	my ($socket) = @_;
	local $SIG{ALRM} = sub { die "not closed\n" };
	alarm 60;
	my $n = eval { 1 while sysread $socket, my $rest, 65536; 1 };
	alarm 0;
	return $n;
}

sub is_alive_and_well {
	is $daemon->ctl('status')->{status}, 0, 'the daemon answers others';
}

subtest 'bytes that are no frames end the connection' => sub {
	my %cases = (
		'a length of 4 GB' => "\xff\xff\xff\xff",
		'a length of 0' => "\0\0\0\0",
		'a frame over LIMIT_FRAME_CONTROL_BYTES' => pack('N', 64 * 1024 + 1),
		'HTTP' => "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		'an array of 2^28 elements' => "\0\0\0\5\xdd\x10\0\0\0",
		'a message that only a worker may send' => Backfilld::Frames::frame('done'),
		'an unknown message' => "\0\0\0\2\x91\x7f",
		'a map for a message' => "\0\0\0\1\x80",
		'text that is not UTF-8' => "\0\0\0\6\x94\x01\x01\xa1\xff\x01",
	);
	for my $what (sort keys %cases) {
		my $socket = connected();
		syswrite $socket, $cases{$what};
		ok is_closed($socket), $what;
	}
	is_alive_and_well();
};

subtest 'F66: half a frame and then silence: LIMIT_CONTROL_FRAME_MS' => sub {
	my ($patient) = greeted();
	my ($peer, $socket) = greeted();
	my $ask = Backfilld::Frames::frame('status', req => 1);
	syswrite $socket, substr $ask, 0, 5;
	ok is_closed($socket), 'the connection ends';
	$daemon->wait_log(qr/control client uid \d+: a frame has begun and not ended in 5000 ms/);
	$patient->send('status', req => 2);
	is $patient->receive->{msg}, 'daemon', 'one that is silent between frames stays';
};

subtest '20,000 random frames, seeded' => sub {
	my $seed = $ENV{BF_TEST_SEED} || time;
	note "BF_TEST_SEED=$seed";
	srand $seed;
	local $SIG{PIPE} = 'IGNORE';
	for (1 .. 2000) {
		my $socket = connected();
		my $bytes = '';
		for (1 .. 10) {
			my $payload = join '', map { chr int rand 256 } 1 .. 1 + rand 40;
			# Often enough a plausible start: an array and a message number.
			substr($payload, 0, 2) = chr(0x90 + rand 13) . chr(1 + rand 80)
				if rand() < 0.8 && length $payload > 2;
			$bytes .= pack('N', length $payload) . $payload;
		}
		syswrite $socket, $bytes;
	}
	is_alive_and_well();
};

subtest 'another version, or no hello, gets a sentence' => sub {
	my $socket = connected();
	my $peer = Backfilld::Frames->new($socket);
	$peer->send('hello', version => 99, program => 'test', pid => 1);
	my $answer = $peer->receive;
	is $answer->{msg}, 'error', 'an error';
	like $answer->{text}, qr/version/, 'that names the version';

	$peer = Backfilld::Frames->new(connected());
	$peer->send('status', req => 1);
	like $peer->receive->{text}, qr/first message has to be hello/, 'hello is missed';
};

subtest 'every bad argument is named' => sub {
	my ($peer) = greeted();
	# Their names are longer than an error's text, which ends within a character of one.
	my @long = map { $daemon->dir . "/$_" . join '/', ("\xc3\xa9" x 100) x 5 } '', 'x';
	File::Path::make_path(@long);
	my @cases = (
		['trigger', { type => 'nonsense' }, 'InvalidBackfillType', qr/nonsense/],
		['trigger', { type => '../did-sync' }, 'InvalidBackfillType', qr/did-sync/],
		(map { ['trigger', { type => $_ }, 'InvalidBackfillType', qr/$_/] }
			qw(backfill-indexer backfillctl backfilld pdf-text)),
		['trigger', { type => 'did-sync' }, 'InvalidRequest', qr/needs .*did/],
		['trigger', { type => 'did-sync', did => 'did:web:x', uri => 'at://x' },
			'InvalidRequest', qr/does not take .*uri/],
		['trigger', { type => 'did-sync', did => 'did:web:' . 'x' x 2048 },
			'InvalidRequest', qr/longer than 2048/],
		['get', { id => 'x' }, 'OperationNotFound', qr/./],
		['watch', { id => '' }, 'OperationNotFound', qr/./],
		['events', { id => '3zzzzzzzzzzzz' }, 'OperationNotFound', qr/./],
		['cancel', { id => "\0" x 60000 }, 'OperationNotFound', qr/./],
		['get', { id => "\xc3\xa9" x 100 }, 'OperationNotFound', qr/./],
		['get', { id => 'x' . "\xc3\xa9" x 100 }, 'OperationNotFound', qr/./],
		['list', { limit => 101 }, 'InvalidRequest', qr/limit/],
		['list', { status => 'Running' }, 'InvalidRequest', qr/status/],
		['list', { cursor => '../..' }, 'InvalidRequest', qr/cursor/],
		map { ['backup', { dir => $_ }, 'InvalidRequest', qr/./] } @long,
	);
	for my $case (@cases) {
		my ($message, $fields, $name, $text) = @$case;
		$peer->send($message, req => 7, %$fields);
		my $answer = $peer->receive;
		is $answer->{name}, $name, "$message: $name";
		like $answer->{text}, $text, 'its text';
		ok utf8::decode(my $copy = $answer->{text}), 'which is UTF-8';
		is $answer->{req}, 7, 'for our request';
	}
	is scalar @{ $daemon->xrpc_get('getBackfillStatus')->{json}{operations} }, 0,
		'nothing is stored';
};

subtest 'a client that asks and never reads is not read either' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($id);
	my ($peer, $socket) = greeted();
	my $ask = Backfilld::Frames::frame('events', req => 1, id => $id);
	my $sent = 0;

	# What is sent goes nowhere from some time on: nothing more fits.
	$socket->blocking(0);
	my $stuck = 0;
	while ($stuck < 50) {
		my $n = syswrite $socket, $ask x 1000;
		$sent += $n // 0;
		$stuck = defined $n ? 0 : $stuck + 1;
		select undef, my $writable = fd_set($socket), undef, 0.02 if !defined $n;
	}
	ok $sent > 0, 'it asks until nothing more is taken';
	is_alive_and_well();
	cmp_ok proc_rss_kib($daemon->pid), '<', 400 * 1024, 'it costs a bounded queue';

	$socket->blocking(1);
	my $answers = 0;
	my $whole = int($sent / length $ask);
	while ($answers < $whole) {
		$answers++ if $peer->receive->{msg} eq 'end_list';
	}
	is $answers, $whole, 'every request is answered once it reads';
};

sub fd_set {
	my ($socket) = @_;
	vec(my $set = '', fileno $socket, 1) = 1;
	return $set;
}

subtest 'one who watches everything hears of everything' => sub {
	my ($peer) = greeted();
	$peer->send('watch_all', req => 9);
	$peer->send('measure', req => 10);
	my $before = $peer->receive;
	is $before->{msg}, 'measures', 'the measures';
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my @statuses;
	while (!@statuses || $statuses[-1] < 3) {
		my $change = $peer->receive;
		is $change->{req}, 9, 'a change';
		is $change->{op}{id}, $id, 'of it';
		push @statuses, $change->{op}{status};
	}
	is $statuses[0], 1, 'from the queue';
	is $statuses[-1], 3, 'to its end';
	$peer->send('measure', req => 11);
	my $after = $peer->receive;
	is $after->{worker_starts}, $before->{worker_starts} + 1, 'one more worker';
	ok $after->{has_indexer}, 'the indexer runs';
	is "$after->{indexer_starts} $after->{api_starts}", '1 1', 'from the first start';
};

subtest 'one who watches everything and does not read is told of the gap' => sub {
	my ($peer, $socket) = greeted();
	setsockopt $socket, SOL_SOCKET, Socket::SO_RCVBUF(), 4096;
	$peer->send('watch_all', req => 9);
	my ($busy) = greeted();
	my $did = 'did:web:finish.' . 'x.' x 900 . 'test';
	my @running = map { $daemon->trigger('did-sync', did => null_op_did('run')) } 1 .. 4;
	my @ids;
	# They stay queued behind those, and are cancelled: 2 changes of 2 KB each; half
	# of LIMIT_CHANNEL_QUEUE_BYTES is 4 MiB.
	for my $n (1 .. 1200) {
		$busy->send('trigger', req => $n, type => 'did-sync', did => "$did$n");
		push @ids, $busy->receive->{op}{id};
	}
	for my $n (0 .. $#ids, map { $_ + @ids } 0 .. $#running) {
		$busy->send('cancel', req => 2000 + $n, id => (@ids, @running)[$n]);
		1 while $busy->receive->{msg} ne 'cancelled';
	}
	my ($changes, $last) = (0);
	while ($last = $peer->receive) {
		last if $last->{msg} eq 'end_list';
		$changes++;
	}
	is $last->{msg}, 'end_list', "after $changes changes it is told";
	$peer->send('watch_all', req => 12);
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $peer->receive->{op}{id}, $id, 'and can go on';
};

subtest 'more clients than LIMIT_CONTROL_CLIENTS' => sub {
	my @idle = map { connected() } 1 .. 70;
	$daemon->wait_log(qr/control socket: 64 clients are connected/);
	is $daemon->get('/xrpc/_health')->{status}, 200, 'the API is not among them';
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($id)->{status}, 'completed', 'operations go on';
	@idle = ();
	wait_for { $daemon->ctl('status')->{status} == 0 } 10, 'room';
};

subtest 'more requests than LIMIT_CLIENT_PENDING' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
	my ($peer) = greeted();
	my $errors = 0;
	for my $req (1 .. 300) {
		$peer->send('watch', req => $req, id => $id);
		my $answer;
		do { $answer = $peer->receive } until $answer->{req} == $req;
		$errors++ if $answer->{msg} eq 'error' && $answer->{name} eq 'TooManyRequests';
	}
	is $errors, 300 - 256, 'those beyond the limit are refused';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

SKIP: {
	skip 'only root can become somebody else', 1 if $> != 0;
	subtest 'a stranger is refused' => sub {
		chmod 0755, $daemon->dir, $daemon->dir . '/run';
		chmod 0666, $daemon->socket;
		my $pid = fork() // die $!;
		if ($pid == 0) {
			$) = '65534 65534';
			$> = 65534;
			my $socket = IO::Socket::UNIX->new(Peer => $daemon->socket);
			POSIX::_exit(defined $socket && !sysread($socket, my $byte, 1) ? 0 : 1);
		}
		waitpid $pid, 0;
		is $?, 0, 'its connection is closed';
		$daemon->wait_log(qr/control socket: uid 65534 is not allowed/);
	};
}

wait_for { keys %{ proc_fds($daemon->pid) } <= $fds } 10, 'descriptors to be closed';
pass 'no descriptor is left over';
$daemon->finish;
done_testing;
