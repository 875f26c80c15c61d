# The operations' store and those who read it: snapshots that are kept, a table of
# readers that is full, lock files that are deleted, a backup while much is written.

use strict;
use warnings;
use File::Copy ();
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $libexec = null_op_libexec();

sub daemon {
	return Backfilld::Test->new(settings => { libexec_dir => $libexec,
		service_timeout_ms => 1000, @_ });
}

sub running {
	my ($daemon, $what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	return $id;
}

# A process that keeps snapshots: {pid, count, input}.
sub hold_readers {
	my ($daemon, $most) = @_;
	pipe my $theirs, my $ours or die "pipe: $!";
	my $out = $daemon->dir . '/holds' . rand;
	my $pid = Backfilld::Process::spawn(
		[ "$Backfilld::Test::BUILDDIR/t/workers/hold-readers",
			$daemon->dir . '/state/operations', $most ],
		stdin => $theirs, stdout => $out, stderr => $daemon->{log});
	my $count;
	wait_for {
		open my $file, '<', $out or return 0;
		($count) = map { /^holds (\d+)/ ? $1 : () } <$file>
	} 60, 'the readers';
	return { pid => $pid, count => $count, input => $ours };
}

sub let_go {
	my ($holder) = @_;
	close $holder->{input};
	waitpid $holder->{pid}, 0;
	Backfilld::Process::forget_group($holder->{pid});
}

sub ends_well {
	my ($daemon, $what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($id)->{status}, 'completed', $what;
}

subtest 'F50: the table of readers is full' => sub {
	my $daemon = daemon()->start;
	my $id = running($daemon, 'run');
	my ($worker) = $daemon->log =~ /op $id did-sync: started, attempt 1, worker (\d+)/;
	$daemon->expect_error(qr/MDB_READERS_FULL/);
	my $holder = hold_readers($daemon, 10000);
	cmp_ok $holder->{count}, '>', 400, 'there is room for many';
	my $refused = $daemon->xrpc_get('getBackfillStatus');
	is $refused->{status}, 503, 'a read is refused';
	is $refused->{json}{error}, 'StoreUnavailable', 'for its reason';
	is $daemon->get('/xrpc/_health')->{status}, 503, 'which the health tells';
	is $daemon->get('/livez')->{status}, 200, 'the API lives';
	my $trigger = $daemon->xrpc_post('triggerBackfill',
		{ type => 'didSync', did => null_op_did('finish') });
	is $trigger->{status}, 503, 'so is a trigger, which looks first';
	is $trigger->{json}{error}, 'StoreUnavailable', 'for the same reason';
	my $answer = $daemon->ctl('show', $id);
	isnt $answer->{status}, 0, 'and so is one over the control socket';
	ok is_alive($worker), 'what runs runs on';

	let_go($holder);
	$daemon->wait_operation($id, sub { 1 }, 'to be read');
	is $daemon->operation($id)->{attempt}, 1, 'it is in its first attempt';
	ends_well($daemon, 'the slots of the dead are free, and all is well');
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	$daemon->finish;
};

subtest 'F49: a process keeps an old snapshot' => sub {
	my $daemon = daemon()->start;
	my $id = running($daemon, 'run');	# writes its progress all the time
	my $holder = hold_readers($daemon, 1);
	kill 'STOP', $holder->{pid};
	$daemon->wait_log(qr/process $holder->{pid} has been reading one snapshot of the store/);
	ok is_alive($holder->{pid}), 'a stranger is told of, not killed';
	is $daemon->operation($id)->{status}, 'running', 'nobody is held up';
	is scalar(() = $daemon->log =~ /has been reading one snapshot/g), 1, 'once';
	my $api = $daemon->wait_child('backfill-api');
	kill 'KILL', $holder->{pid};
	$daemon->wait_log(qr/freed the reader slots of 1 dead processes/);
	is $daemon->wait_child('backfill-api'), $api, 'the API reads only for moments';
	let_go($holder);
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	$daemon->finish;
};

subtest 'F59: who reads its answer slowly keeps no snapshot' => sub {
	my $daemon = daemon(max_queued => 1000)->start;
	my $id = running($daemon, 'run');
	$daemon->trigger('did-sync', did => null_op_did('finish')) for 1 .. 150;
	my ($host, $port) = $daemon->http_address =~ /^(.*):(\d+)$/;
	my @slow = map {
		my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port)
			or die "connect: $!";
		setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), pack 'i', 2048;
		my $auth = MIME::Base64::encode("admin:$Backfilld::Test::PASSWORD", '');
		my $get = "GET /xrpc/pub.chive.admin.getBackfillStatus?limit=100 HTTP/1.1\r\n"
			. "Host: x\r\nAuthorization: Basic $auth\r\n\r\n";
		syswrite $socket, $get x 20;
		$socket;
	} 1 .. 5;
	# Looks of a second each, while answers of some megabytes wait to be taken.
	my $until = Time::HiRes::time() + 5;
	wait_for { Time::HiRes::time() > $until } 60, 'five looks';
	sysread $_, my $start, 12 for @slow;
	unlike $daemon->log, qr/has been reading one snapshot/, 'no snapshot is old';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'others are answered';
	close $_ for @slow;
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	$daemon->finish;
};

subtest 'F55: lock files are deleted' => sub {
	my $daemon = daemon()->start;
	my $state = $daemon->dir . '/state';
	my $id = running($daemon, 'checkpoint');
	my $ended = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->wait_finished($ended);
	my $inode = sub { (stat "$state/$_[0]")[1] // 0 };

	my $lock = $inode->('lock');
	unlink "$state/lock" or die $!;
	$daemon->wait_log(qr{state/lock was deleted or replaced; taken again});
	isnt $inode->('lock'), 0, 'the lock of the directory is there again';
	is $daemon->run_backfilld('-c', $daemon->{conf})->{status}, 75,
		'and keeps others out';

	$daemon->expect_error(qr/lock(\.mdb| file).* was deleted/);
	$daemon->expect_error(qr/backfill-(api|indexer): process \d+ exited with status 74/);
	$daemon->expect_error(qr/the index is gone|backfill-indexer/);
	my $api = $daemon->wait_child('backfill-api');
	unlink "$state/operations/lock.mdb" or die $!;
	$daemon->wait_log(qr/operations.lock\.mdb was deleted; opening the store anew/);
	$daemon->wait_log(qr/takes over/);
	wait_for { grep { $_ != $api && is_alive($_) } $daemon->children('backfill-api') } 60,
		'another API';
	wait_for { $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'it to answer';
	is $daemon->operation($id)->{status}, 'running', 'what ran runs';
	is $daemon->operation($id)->{attempt}, 1, 'in its first attempt';
	is $daemon->operation($ended)->{status}, 'completed', 'what had ended has ended';
	ends_well($daemon, 'what comes is done');

	my $indexer = $daemon->wait_child('backfill-indexer');
	unlink "$state/records/lock.mdb" or die $!;
	$daemon->wait_log(qr{records/lock\.mdb was deleted; starting anew});
	is $daemon->wait_finished($id)->{status}, 'completed',
		'what needed the index goes on from its checkpoint';
	isnt $daemon->wait_child('backfill-indexer'), $indexer, 'with another indexer';
	ends_well($daemon, 'and what comes is done');
	$daemon->finish;
};

subtest 'F61: a backup while much is written' => sub {
	my $daemon = daemon(max_workers => 20)->start;
	my @writers = map { running($daemon, 'run') } 1 .. 8;
	my $file = $daemon->dir . '/state/operations/data.mdb';
	my (@acked, @backups);
	for my $round (1 .. 4) {
		push @acked, map { $daemon->trigger('did-sync', did => null_op_did('records')) }
			1 .. 10;
		my $to = $daemon->dir . "/backup$round";
		my $made = $daemon->ctl('backup', $to);
		is $made->{status}, 0, "backup $round" or diag $made->{err};
		push @backups, [ $to, scalar @acked ];
	}
	$daemon->wait_finished($_) for @acked;
	is $daemon->operation($_)->{status}, 'running', 'who writes goes on' for $writers[0];
	cmp_ok -s $file, '<', 64 << 20, 'the store did not run away';
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for @writers;
	$daemon->finish;

	for my $backup (@backups) {
		my ($from, $count) = @$backup;
		my $restored = daemon(max_workers => 20);
		for my $store (qw(operations records)) {
			mkdir "$restored->{dir}/state/$store", 0700 or die $!;
			File::Copy::copy("$from/$store/data.mdb",
				"$restored->{dir}/state/$store/data.mdb") or die $!;
		}
		is $restored->run_backfilld('--check-store', "$restored->{dir}/state")
			->{status}, 0, 'it is sound';
		$restored->start;
		my @known = grep { $restored->operation($_) } @acked[0 .. $count - 1];
		is scalar @known, $count, 'it has what was acknowledged before it was begun';
		$restored->stop;
		$restored->{is_finished} = 1;
	}
};

done_testing;
