# Workers that were stopped or hang (F5), and those that only look like it (F33).

use strict;
use warnings;
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

use constant TIMEOUT_MS => 2000;

my $libexec = null_op_libexec();
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
	worker_timeout_ms => TIMEOUT_MS, cancel_grace_ms => 500, max_workers => 20 });
$daemon->start;

# The operation and its worker.
sub running {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	return ($id, worker_of($id));
}

sub worker_of {
	my ($id) = @_;
	return $daemon->wait_log(qr/op $id \S+: started, attempt \d+, worker (\d+)/);
}

sub let_time_pass {
	my $until = Time::HiRes::time() + 2.5 * TIMEOUT_MS / 1000;
	wait_for { Time::HiRes::time() > $until } 60, 'two timeouts to pass';
}

# A worker in another language, which knows nothing of pings.
open my $script, '>', "$libexec/plain-op" or die $!;
print $script <<"SCRIPT";
#!$^X
BEGIN { \$ENV{BF_SRCDIR} = '$Backfilld::Test::SRCDIR' }
use lib '$Backfilld::Test::SRCDIR/t/lib';
use Backfilld::Frames;
use Backfilld::WriteOp;
my \$daemon = Backfilld::WriteOp::open_fd(3);
\$daemon->send('hello', version => Backfilld::Frames::version(), program => 'plain-op',
	pid => \$\$);
Backfilld::WriteOp::wait_msg(\$daemon, 'assign');
\$daemon->send('progress', stage => 'busy', processed => 1);
1 while \$daemon->receive;
SCRIPT
close $script;
chmod 0755, "$libexec/plain-op";

my ($healthy, $healthy_pid) = running('run');
my $plain = $daemon->trigger('plain-op');
$daemon->wait_operation($plain, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
kill 'STOP', worker_of($plain);

subtest 'F5: a worker that was stopped is woken and told to end' => sub {
	my ($id, $pid) = running('run');
	kill 'STOP', $pid;
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'failed', 'its operation fails';
	is $operation->{errorClass}, 'worker-hung', 'its class';
	like $operation->{error}, qr/worker_timeout_ms/, '... and the setting';
	ok !$operation->{exit}{killed}, 'SIGTERM was enough';
	ok !is_alive($pid), 'it is gone';
	like $daemon->log, qr/op $id worker $pid: has not answered for \d+ ms/, 'the log tells';
};

subtest 'F5: with a checkpoint it goes on' => sub {
	my ($id, $pid) = running('checkpoint');
	kill 'STOP', $pid;
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'completed', 'to its end';
	is $operation->{attempt}, 2, 'in a second attempt';
	like $daemon->log, qr/op $id did-sync: interrupted: the worker did not answer/,
		'and why is told';
};

subtest 'a loop that hangs, and ignores SIGTERM, is killed' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('spin'));
	my $operation = $daemon->wait_finished($id);
	is $operation->{errorClass}, 'worker-hung', 'its class';
	is $operation->{exit}{signal}, 'SIGKILL', 'by SIGKILL';
	ok $operation->{exit}{killed}, 'which was ours';
};

subtest 'a cancel meanwhile is a cancel' => sub {
	$daemon->set(cancel_grace_ms => 600000);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded/);
	my ($id, $pid) = running('checkpoint');
	my $other = $daemon->trigger('did-sync', did => null_op_did('spin'));
	$daemon->wait_log(qr/op $other worker \d+: has not answered/);
	# It was told to stop, and has ten minutes; who cancels it has not.
	my $asker = fork() // die $!;
	if ($asker == 0) {
		my $answer = $daemon->xrpc_post('cancelBackfill', { id => $other });
		POSIX::_exit($answer->{json}{success} ? 0 : 1);
	}
	$daemon->wait_log(qr/op $other did-sync: cancel asked for/);
	kill 'KILL', worker_of($other);
	waitpid $asker, 0;
	is $?, 0, 'it is answered with success';
	is $daemon->operation($other)->{status}, 'cancelled', 'the operation is cancelled';
	is $daemon->operation($id)->{status}, 'running', 'another one runs';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	$daemon->set(cancel_grace_ms => 500);
};

subtest 'F33: everything was stopped: nobody is told to end for it' => sub {
	my ($id, $pid) = running('run');
	my @services = map { $daemon->wait_child($_) }
		qw(backfill-indexer backfill-api backfill-resolver);
	kill 'STOP', $daemon->pid, $pid, $healthy_pid, @services;
	let_time_pass();
	kill 'CONT', @services, $healthy_pid, $pid, $daemon->pid;
	let_time_pass();
	is $daemon->operation($_)->{status}, 'running', 'it runs' for $id, $healthy;
	ok is_alive($pid), 'in the same process';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'after an upgrade it is asked as before' => sub {
	my ($id, $pid) = running('run');
	is $daemon->ctl('upgrade')->{status}, 0, 'an upgrade';
	kill 'STOP', $pid;
	is $daemon->wait_finished($id)->{errorClass}, 'worker-hung', 'and missed';
};

subtest 'worker_timeout_ms = 0: for as long as one likes' => sub {
	$daemon->set(worker_timeout_ms => 0);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/in the place of .*reloaded/s);
	my ($id, $pid) = running('run');
	kill 'STOP', $pid;
	let_time_pass();
	is $daemon->operation($id)->{status}, 'running', 'it may stand';
	$daemon->set(worker_timeout_ms => TIMEOUT_MS);
	$daemon->signal('HUP');
	is $daemon->wait_finished($id)->{errorClass}, 'worker-hung', 'until it is set again';
};

subtest 'those that answer, and those that are not asked, are left alone' => sub {
	is $daemon->operation($_)->{status}, 'running', 'it runs' for $healthy, $plain;
	is $daemon->operation($_)->{attempt}, 1, 'as it began' for $healthy, $plain;
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for $healthy, $plain;
	is $daemon->wait_finished($_)->{status}, 'cancelled', 'until it is cancelled'
		for $healthy, $plain;
};

$daemon->finish;
done_testing;
