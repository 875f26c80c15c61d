# SIGKILL of full-reindex's worker at 20 random moments of one run: it ends as one that
# nobody disturbed.

use strict;
use warnings;
use Test::More;
use File::Temp ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::KillPlan;
use Backfilld::Test;
use Backfilld::WriteOp;

use constant { REPOS => 40, RECORDS => 50, KILLS => 20 };

my $plan = Backfilld::KillPlan->new;
my $libexec = File::Temp->newdir;
my $EPRINT = 'pub.chive.eprint.submission';
my %repos;
for my $n (1 .. REPOS) {
	$repos{ sprintf 'did:plc:%024d', $n } = { map {
		("$EPRINT/3k$_" => { title => "repository $n record $_" }) } 1 .. RECORDS };
}
symlink "$Backfilld::Test::BUILDDIR/$_", "$libexec/$_"
	for qw(backfill-indexer backfill-resolver backfill-api full-reindex);
Backfilld::WriteOp::install($libexec, 'write-op', \%repos);

my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec",
	max_attempts => 100 });
$daemon->expect_error(qr/./);		# each death is told
$daemon->start($plan->count);
is $daemon->wait_finished($daemon->trigger('write-op'))->{status}, 'completed', 'indexed';
my $undisturbed = $daemon->wait_finished($daemon->trigger('full-reindex', batchSize => 1), 120);
is $undisturbed->{status}, 'completed', 'an undisturbed run completes';

$daemon->stop;
$daemon->start($plan->kill(KILLS, $plan->turns($daemon, $undisturbed->{id}) / 8));
my $id = $daemon->trigger('full-reindex', batchSize => 1);
my $end = $daemon->wait_finished($id, 120);
is $plan->kills($daemon, $id), KILLS, 'killed ' . KILLS . ' times';
is $end->{status}, 'completed', 'completed';
is $end->{attempt}, KILLS + 1, 'an attempt for each, and the last';
is $end->{recordsProcessed}, REPOS * RECORDS, 'each record was counted once';
is $end->{itemsFailed} // 0, 0, 'none failed';

my %found;
for (my $skip = 0; $skip < REPOS * RECORDS; $skip += 100) {
	my $got = $daemon->ctl('search', 'record', '--limit', 100, '--skip', $skip);
	$found{ $_->{uri} }++ for @{ $got->{lines} };
}
is scalar keys %found, REPOS * RECORDS, 'each is found';
is scalar(grep { $_ != 1 } values %found), 0, 'and none twice';
$daemon->finish;
done_testing;
