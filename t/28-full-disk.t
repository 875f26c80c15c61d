# A supervisor that cannot write: a running operation is stopped all the same, and
# its outcome is stored as soon as there is room.  The file size limit of the
# process stands in for a full disk: LMDB meets both as a write that fails.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::NullOp;
use Backfilld::Test;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), cancel_grace_ms => 500,
});
$daemon->start;

# The log grows, too: what is said meanwhile is lost.
sub limit_files {
	my ($bytes) = @_;
	system('prlimit', '--pid', $daemon->pid, "--fsize=$bytes:unlimited") == 0
		or die "prlimit: $?";
}

my $id = $daemon->trigger('did-sync', did => null_op_did('run'));
$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
my ($worker) = $daemon->log =~ /op $id did-sync: started, attempt \d+, worker (\d+)/;

limit_files(4096);
my $refused = $daemon->xrpc_post('triggerBackfill',
	{ type => 'didSync', did => null_op_did('finish') });
is $refused->{status}, 503, 'a trigger is refused';
is $refused->{json}{error}, 'DiskFull', 'for its reason';

my $answer = $daemon->ctl('cancel', $id);
ok !is_alive($worker), 'the worker is gone although nothing can be written';
isnt $answer->{status}, 0, 'that it is not recorded yet is not called a success';
is $daemon->operation($id)->{status}, 'running', 'reads go on, of what was written last';

limit_files('unlimited');
my $operation = $daemon->wait_finished($id, 10);
is $operation->{status}, 'cancelled', 'its outcome is stored once there is room';
like $operation->{cancelledBy}, qr/^uid \d+$/, 'with who asked';
my $next = $daemon->trigger('did-sync', did => null_op_did('finish'));
is $daemon->wait_finished($next)->{status}, 'completed', 'and work goes on';

# Its last words come while nothing can be written.
my $late = $daemon->trigger('did-sync', did => null_op_did('run'));
$daemon->wait_operation($late, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
($worker) = $daemon->log =~ /op $late did-sync: started, attempt \d+, worker (\d+)/;
limit_files(4096);
kill 'USR1', $worker or die "$worker: $!";
wait_for { !is_alive($worker) } 10, 'the worker to end';
is $daemon->ctl('show', $late)->{json}{status}, 'running',
	'its end cannot be recorded yet';
limit_files('unlimited');
is $daemon->wait_finished($late, 10)->{status}, 'completed', 'it is once there is room';
my @said = grep { $_->{event} eq 'log' && $_->{text} =~ /told to finish/ }
	@{ $daemon->ctl('show', $late, '--events')->{json}{events} };
is scalar @said, 1, 'with what its worker said last, once';

$daemon->expect_error(qr/cannot be stored|disk/);
$daemon->finish;
done_testing;
