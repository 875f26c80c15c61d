# A thousand short operations leave nothing behind: no descriptor, no zombie, no
# memory.  The bound on memory is looked at in a build without sanitizers, whose
# directory BF_PLAIN_BUILDDIR names (quickstart test makes both).

use strict;
use warnings;
use Test::More;

BEGIN {
	$ENV{BF_BUILDDIR} = $ENV{BF_PLAIN_BUILDDIR} if $ENV{BF_PLAIN_BUILDDIR};
}
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

use constant OPERATIONS => 1000;
use constant RSS_MOST_KIB => 16 * 1024;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 8, log_level => 'warn',
});
$daemon->start;
$daemon->wait_finished($daemon->trigger('did-sync', did => null_op_did('finish')));
my $fds = keys %{ proc_fds($daemon->pid) };

$daemon->trigger('did-sync', did => null_op_did('finish')) for 2 .. OPERATIONS;
wait_for {
	my $status = $daemon->ctl('status')->{json};
	$status->{queued} == 0 && $status->{running} == 0
} 300, 'all operations to end';

my $completed = 0;
my $cursor;
do {
	my $page = $daemon->xrpc_get('getBackfillHistory',
		{ limit => 100, $cursor ? (cursor => $cursor) : () })->{json};
	$completed += grep { $_->{status} eq 'completed' } @{ $page->{operations} };
	$cursor = $page->{cursor};
} while ($cursor);
is $completed, OPERATIONS, 'all are completed';

wait_for { keys %{ proc_fds($daemon->pid) } <= $fds } 10, 'descriptors to be closed';
pass 'no descriptor is left over';
is_deeply [grep { proc_state($_) eq 'Z' } $daemon->children('did-sync')], [], 'no zombie';
is_deeply [$daemon->children('did-sync')], [], 'no worker';
SKIP: {
	skip 'memory is not measured under sanitizers: no BF_PLAIN_BUILDDIR', 1
		unless $ENV{BF_PLAIN_BUILDDIR};
	my $rss = proc_rss_kib($daemon->pid);
	cmp_ok $rss, '<', RSS_MOST_KIB, "the supervisor takes $rss KiB";
}

$daemon->finish;
done_testing;
