# F19: the supervisor itself can get no more memory.  It ends at once, and the next start
# finds all that was acknowledged.

use strict;
use warnings;
use IO::Socket::UNIX;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
	max_workers => 4, max_queued => 1000 });
$daemon->start;
my @running = map { $daemon->trigger('did-sync', did => null_op_did('checkpoint')) } 1 .. 3;
for my $id (@running) {
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
}
my $ended = $daemon->trigger('did-sync', did => null_op_did('finish'));
$daemon->wait_finished($ended);
my @workers = $daemon->log =~ /: started, attempt \d+, worker (\d+)/g;
my $indexer = $daemon->wait_child('backfill-indexer');

# Whatever it wants from now on it does not get; each client wants a buffer.
$daemon->expect_error(qr/./);
my $group = $daemon->pid;
system('prlimit', '--pid', $daemon->pid, '--as=1:unlimited') == 0 or die "prlimit: $?";
my (@clients, @acked);
wait_for {
	push @clients, IO::Socket::UNIX->new(Peer => $daemon->socket) // ();
	syswrite $clients[-1], "\0\0\xff\0" . 'x' x 60000 if @clients;
	my $answer = eval { $daemon->xrpc_post('triggerBackfill', { type => 'didSync',
		did => null_op_did('finish') }) };
	push @acked, $answer->{json}{operation}{id} if $answer && $answer->{status} == 200;
	$daemon->has_ended
} 60, 'it to end';
isnt $daemon->{exit}, 0, 'it ends, and not as if it had been told to';
SKIP: {
	skip 'a sanitizer ends it in its own way', 2 if Backfilld::Test::is_sanitized();
	is $daemon->{exit} >> 8, 79, 'with the status that says it';
	like $daemon->log, qr/<2>out of memory: \d+ bytes/, 'and a line';
}
wait_for { !grep { is_alive($_) } @workers, $indexer } 10,
	'workers and indexer to end with it';
wait_for { !grep { !/^$/ } map { Backfilld::Process::proc_name($_) =~ /^did-sync$/ ? $_ : '' }
	Backfilld::Process::proc_group($group) } 10, 'nobody to be left';

my $log = $daemon->{log};
rename $log, "$log.1";	# a sanitizer's last words are what this is about
$daemon->start;
is $daemon->operation($ended)->{status}, 'completed', 'what had ended has ended';
for my $id (@running) {
	my $operation = $daemon->wait_finished($id);
	is $operation->{status}, 'completed', 'what ran goes on from its checkpoint';
	is $operation->{attempt}, 2, 'in its second attempt';
}
is scalar(grep { $daemon->wait_finished($_)->{status} eq 'completed' } @acked),
	scalar @acked, 'what was acknowledged meanwhile is done';
$daemon->finish;
done_testing;
