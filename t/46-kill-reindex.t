# full-reindex whose worker is killed at random moments ends as one that is not.

use strict;
use warnings;
use Test::More;
use File::Temp ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::WriteOp;

use constant { REPOS => 40, RECORDS => 200, KILLS => 20 };

my $seed = $ENV{BF_SEED} || int rand 1_000_000;
note "BF_SEED=$seed";
srand $seed;

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
$daemon->start;
is $daemon->wait_finished($daemon->trigger('write-op'))->{status}, 'completed', 'indexed';

my $id = $daemon->trigger('full-reindex', batchSize => 1);
my $kills = 0;
while ($kills < KILLS) {
	my $operation = $daemon->operation($id);
	last if $operation->{status} !~ /^(queued|running)$/;
	my ($worker) = $daemon->children('full-reindex') or next;
	my $until = $operation->{recordsProcessed} + 1 + int rand 100;
	wait_for {
		$operation = $daemon->operation($id);
		$operation->{recordsProcessed} >= $until || $operation->{status} ne 'running'
	} 60, 'it to go on';
	($worker) = $daemon->children('full-reindex') or next;	# any moment of its life
	$kills += kill 'KILL', $worker;
}
my $end = $daemon->wait_finished($id, 120);
cmp_ok $kills, '>=', 10, "killed $kills times";
is $end->{status}, 'completed', 'completed';
cmp_ok $end->{attempt}, '>', 5, 'in many attempts';
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
