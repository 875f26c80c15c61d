# Whatever a worker does, the record tells the truth, the supervisor lives, and
# the other operations do not notice.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 8, cancel_grace_ms => 500,
});
$daemon->start;

my $bystander = $daemon->trigger('did-sync', did => null_op_did('run'));
$daemon->wait_operation($bystander, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
my $fds = keys %{ proc_fds($daemon->pid) };

# what => [status, errorClass, error]
my %cases = (
	'finish' => ['completed'],
	'fail' => ['failed', 'null-op', qr/./],
	'no-result' => ['failed', 'protocol', qr/without a result/],
	'exit-7' => ['failed', 'worker-died', qr/exited with status 7/],
	'done-crash' => ['completed'],
	'crash' => ['failed', 'worker-died', qr/signal 11|exited with status/],
	'garbage' => ['failed', 'protocol', qr/frame/],
	'huge-frame' => ['failed', 'protocol', qr/frame of \d+ bytes/],
	'done-go-on' => ['failed', 'protocol', qr/after its last message/],
	'wrong-sender' => ['failed', 'protocol', qr/not expected from this peer/],
	'list-fds' => ['completed'],
	'environment' => ['completed'],
);

for my $what (sort keys %cases) {
	my ($status, $class, $error) = @{ $cases{$what} };

	subtest $what => sub {
		my $id = $daemon->trigger('did-sync', did => null_op_did($what));
		my $operation = $daemon->wait_finished($id);
		is $operation->{status}, $status, "it is $status";
		is $operation->{errorClass}, $class, 'its class' if $class;
		like $operation->{error}, $error, 'its text' if $error;
		ok $operation->{completedAt}, 'it has an end';
		is $operation->{attempt}, 1, 'it was tried once';
	};
}

subtest 'SIGKILL from outside is a failure that says so' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
	my $pid = $daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{recordsProcessed} > 0 }, 'to run');
	my ($worker) = worker_of($id);
	kill 'KILL', $worker;
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'failed', 'it failed';
	is $operation->{exit}{signal}, 'SIGKILL', 'by that signal';
	ok !$operation->{exit}{killed}, 'which was not ours';
};

subtest 'SIGTERM from outside is a cancel that says so' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
	$daemon->wait_operation($id,
		sub { $_[0]{status} eq 'running' && $_[0]{recordsProcessed} > 0 }, 'to run');
	kill 'TERM', worker_of($id);
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'cancelled', 'it is cancelled';
	is $operation->{cancelledBy}, 'kill', 'by hand';
};

subtest 'a worker sees fd 0 to 4 and nothing else' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('list-fds'));
	$daemon->wait_finished($id);
	my @lines = $daemon->log =~ /op $id worker \d+: fd (\d+) -> /g;
	is_deeply [sort @lines], [0 .. 4], 'the five of the contract';
};

subtest 'a worker gets no secret through its environment' => sub {
	local $ENV{BF_SECRET_OF_THE_TEST} = 1;
	my $id = $daemon->trigger('did-sync', did => null_op_did('environment'));
	$daemon->wait_finished($id);
	unlike $daemon->log, qr/op $id .*(SECRET|HOME|NOTIFY)/, 'only what is on the list';
};

subtest 'a flood of messages leaves the API quick' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('flood'));
	$daemon->wait_status($id, 'running');
	$daemon->wait_operation($id, sub { ($_[0]{stage} // '') eq 'flooding' }, 'to flood');
	my $other = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($other, 10)->{status}, 'completed', 'others get through';
	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success},
		'the flood can be cancelled';
};

subtest 'a chatterbox is heard up to LIMIT_WORKER_LOGS, 100' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('chatter'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to have said it');
	my @lines = $daemon->log =~ /op $id worker \d+: x{900}/g;
	is @lines, 100, 'and no more';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
};

subtest 'a worker may open LIMIT_WORKER_FILES files, 64' => sub {
	my ($worker) = worker_of($bystander);
	open my $limits, '<', "/proc/$worker/limits" or die "limits: $!";
	my ($files) = map { /^Max open files\s+(\d+)\s+\1\s/ ? $1 : () } <$limits>;
	is $files, 64, 'soft and hard';
};

subtest 'what a worker has started is gone with it' => sub {
	my $id = $daemon->trigger('did-sync', did => null_op_did('grandchild'));
	my ($pid) = $daemon->wait_log(qr/op $id worker \d+: .*?(\d+)$/m);
	ok is_alive($pid), 'it lives';
	$daemon->xrpc_post('cancelBackfill', { id => $id });
	wait_for { !is_alive($pid) } 10, 'the grandchild to end';
	is $daemon->operation($id)->{status}, 'cancelled', 'it is cancelled';
};

is $daemon->operation($bystander)->{status}, 'running', 'the bystander runs on';
wait_for { keys %{ proc_fds($daemon->pid) } == $fds } 10, 'descriptors to be closed';
pass 'no descriptor is left over';
$daemon->xrpc_post('cancelBackfill', { id => $bystander });
$daemon->finish;
done_testing;

sub worker_of {
	my ($id) = @_;
	my ($pid) = $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/;
	return $pid;
}
