# F63: hostile workers that send 1,000,000 random frames between them: messages that
# are valid in form and random in contents, each worker's last one no message at all.
#
#	BF_TEST_SEED	names the workers' accounts, from which all else follows
#	BF_FRAMES	how many, 1,000,000

use strict;
use warnings;
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

use constant PER_WORKER => 20_000;	# RANDOM_FRAMES of t/workers/null_raw.h

my $seed = $ENV{BF_TEST_SEED} // time;
my $count = int(($ENV{BF_FRAMES} || 1_000_000) / PER_WORKER) || 1;
my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
	max_workers => 1, log_level => 'warn',
	hello_timeout_ms => 300_000 });	# all flood at once, and a slow machine is busy
alarm 600 * Backfilld::Process::time_factor();
note "BF_TEST_SEED=$seed";
$daemon->start;

my $bystander = $daemon->trigger('did-sync', did => null_op_did('run'));
$daemon->wait_operation($bystander, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
my $fds = keys %{ proc_fds($daemon->pid) };
my $begun = Time::HiRes::time();
my @ids = map {
	$daemon->trigger('did-sync', did => "did:web:random-frames.s$seed-$_.test")
} 1 .. $count;
$daemon->set(max_workers => 5);	# all are asked for before the first one floods
$daemon->signal('HUP');
my @ends = map { $daemon->wait_finished($_, 240) } @ids;
note sprintf '%d frames in %.1f s', $count * PER_WORKER, Time::HiRes::time() - $begun;

is_deeply [ grep { $_->{status} ne 'failed' || $_->{errorClass} ne 'protocol' } @ends ], [],
	"each of the $count workers is ended for its last frame";
is_deeply [ grep { $_->{recordsProcessed} != PER_WORKER } @ends ], [],
	"and was heard up to it, BF_TEST_SEED=$seed"
	or diag explain [ map { [ @{$_}{qw(id recordsProcessed error)} ] }
		grep { $_->{recordsProcessed} != PER_WORKER } @ends ];
is $daemon->operation($bystander)->{status}, 'running', 'the bystander runs on';
is $daemon->ctl('list')->{status}, 0, 'everybody can still list';
is $daemon->ctl('show', $ids[0], '--events')->{status}, 0, 'and show';
wait_for { keys %{ proc_fds($daemon->pid) } <= $fds } 10, 'descriptors to be closed';
pass 'no descriptor is left over';
$daemon->xrpc_post('cancelBackfill', { id => $bystander });
$daemon->finish;
done_testing;
