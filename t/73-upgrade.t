# The daemon replaces itself while everything goes on.

use strict;
use warnings;
use File::Copy ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
	max_workers => 3, cancel_grace_ms => 1000 });

# An executable of the test's own, which it can replace.
my $binary = "$daemon->{dir}/backfilld";
File::Copy::copy("$Backfilld::Test::BUILDDIR/backfilld", $binary) or die "copy: $!";
chmod 0755, $binary;
$daemon->{binary} = $binary;
$daemon->start;

sub running {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{recordsProcessed} > 0 }, 'to run');
	return ($id, $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/);
}

sub pids {
	return map { $_ => $daemon->wait_child($_) }
		qw(backfill-indexer backfill-api backfill-resolver);
}

my ($id, $pid) = running('run');
my ($other, $other_pid) = running('run');
my %before = pids();
my $queued_at_the_end = $daemon->trigger('did-sync', did => null_op_did('ignore-term'));
$daemon->wait_status($queued_at_the_end, 'running');

subtest 'backfillctl upgrade: answered by the one that took over' => sub {
	my $answer = $daemon->ctl('upgrade');
	is $answer->{status}, 0, 'done' or diag $answer->{err};
	is $answer->{json}{pid}, $daemon->pid, 'in the same process';
	is $answer->{json}{running}, 3, 'the operations go on';
	$daemon->wait_log(qr/in the place of version \S+; 3 operations go on/);
};

subtest 'workers and services are the same processes' => sub {
	ok is_alive($_), "worker $_ lives" for $pid, $other_pid;
	is_deeply { pids() }, \%before, 'the services';
	my $processed = $daemon->operation($id)->{recordsProcessed};
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > $processed },
		'to make progress');
	is $daemon->operation($id)->{attempt}, 1, 'in the same attempt';
};

subtest 'what is asked for afterwards is done' => sub {
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}, 'a cancel';
	ok !is_alive($pid), 'its process is gone';
	kill 'USR1', $other_pid;
	is $daemon->wait_finished($other)->{status}, 'completed', 'an operation completes';
	my $new = $daemon->trigger('did-sync', did => null_op_did('records'));
	is $daemon->wait_finished($new)->{status}, 'completed', 'a new one writes records';
};

subtest 'a cancel and a watch that are under way are answered across it' => sub {
	my $asker = fork() // die $!;
	if ($asker == 0) {
		my $answer = $daemon->xrpc_post('cancelBackfill', { id => $queued_at_the_end });
		POSIX::_exit($answer->{json}{success} ? 0 : 1);
	}
	$daemon->wait_log(qr/op $queued_at_the_end did-sync: cancel asked for/);
	open my $watch, '-|', "$Backfilld::Test::BUILDDIR/backfillctl", '-s', $daemon->socket,
		'--json', 'watch', $queued_at_the_end or die $!;
	my $first = <$watch>;
	like $first, qr/"status":"running"/, 'it is watched';
	$daemon->signal('USR2');
	waitpid $asker, 0;
	is $?, 0, 'the cancel is answered with success';
	my ($last) = reverse <$watch>;
	like $last, qr/"status":"cancelled"/, 'the watch has seen its end';
	is $daemon->operation($queued_at_the_end)->{status}, 'cancelled', 'it is cancelled';
};

subtest 'again and again, under load, without losing one' => sub {
	my @ids = map { $daemon->trigger('did-sync', did => null_op_did('finish')) } 1 .. 30;
	for my $round (1 .. 5) {
		is $daemon->ctl('upgrade')->{status}, 0, "upgrade $round";
	}
	is_deeply [ map { $daemon->wait_finished($_)->{status} } @ids ],
		[ ('completed') x @ids ], 'all complete';
	is_deeply { pids() }, \%before, 'the services are still the same';
	my @fds = grep { $_ > 2 } keys %{ proc_fds($daemon->pid) };
	cmp_ok scalar(@fds), '<', 30, 'no descriptor is left over' or diag "@fds";
};

subtest 'a file that does not run, or a configuration with an error, changes nothing' => sub {
	my ($id, $pid) = running('run');
	$daemon->expect_error(qr/upgrade: not done/);
	rename $binary, "$binary.good" or die $!;
	open my $file, '>', $binary or die $!;
	print $file "#!/bin/sh\nexit 1\n";
	close $file;
	chmod 0755, $binary;
	my $answer = $daemon->ctl('upgrade');
	isnt $answer->{status}, 0, 'refused';
	like $answer->{err}, qr/does not run/, 'and why';
	unlink $binary;
	isnt $daemon->ctl('upgrade')->{status}, 0, 'no file at all';
	rename "$binary.good", $binary or die $!;

	$daemon->set(max_workers => 'many');
	my $bad = $daemon->ctl('upgrade');
	isnt $bad->{status}, 0, 'a bad configuration';
	like $bad->{err}, qr/max_workers = "many"/, 'and why';
	$daemon->set(max_workers => 3);
	ok is_alive($pid), 'the worker lives';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'a version that speaks another protocol: checkpoint and resume' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my ($pid) = $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/;

	# The real one, behind a script that makes the handover name another version.
	rename $binary, "$binary.real" or die $!;
	open my $script, '>', $binary or die $!;
	print $script <<"SCRIPT";
#!$^X
BEGIN { \$^F = 1000 }	# descriptors stay open across exec
if (defined(my \$fd = \$ENV{BF_HANDOVER})) {
	open my \$file, '+<&=', \$fd or die \$!;
	local \$/;
	my \$bytes = <\$file>;
	\$bytes =~ s/^(backfilld handover \\d+\\n.{5}\\x01\\x00\\x01)./\$1\\x63/s or die 'no head';
	sysseek \$file, 0, 0;
	syswrite \$file, \$bytes;
	exec "$binary.real", \@ARGV;
}
exec "$binary.real", \@ARGV;
SCRIPT
	close $script;
	chmod 0755, $binary;
	$daemon->expect_error(qr/./);	# services end and are started again
	# The old API may answer for a moment yet, at the old address.
	unlink $daemon->dir . '/run/http.address' or die $!;
	$daemon->signal('USR2');
	$daemon->wait_log(qr/speak version 99 of the protocol/);
	wait_for { !is_alive($pid) } 10, 'the old worker to end';
	wait_for {
		$daemon->{address} = $daemon->http_address
			and $daemon->get('/readyz')->{status} == 200
	} 60, 'the new services';
	my $op = $daemon->wait_finished($id);
	is $op->{status}, 'completed', 'it goes on from its checkpoint';
	is $op->{attempt}, 2, 'in a second attempt';
	rename "$binary.real", $binary or die $!;
	my %now = pids();
	isnt $now{$_}, $before{$_}, "another $_" for sort keys %now;
};

$daemon->finish;
done_testing;
