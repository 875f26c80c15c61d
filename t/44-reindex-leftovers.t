# The half-made search index of a full-reindex is kept as long as the operation may go
# on, and gone when it has ended, however that was.

use strict;
use warnings;
use File::Temp ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::WriteOp;

use constant RECORDS => 3000;	# each a commit, so that it takes some seconds

my $libexec = File::Temp->newdir;
symlink "$Backfilld::Test::BUILDDIR/$_", "$libexec/$_"
	for qw(backfill-indexer backfill-resolver backfill-api full-reindex);
Backfilld::WriteOp::install($libexec, 'write-op', { 'did:plc:' . 'a' x 24 => {
	map { (sprintf('pub.chive.eprint.submission/3k%05d', $_) =>
		{ title => "title $_" }) } 1 .. RECORDS } });
my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec",
	max_attempts => 1 });
$daemon->start;
is $daemon->wait_finished($daemon->trigger('write-op'))->{status}, 'completed',
	'there is something to search';

my $dir = $daemon->dir . '/state/search';
sub files { return [ sort map { s{.*/}{}r } glob "$dir/*" ] }

# One that is under way; its worker is stopped, so that it stays so.
sub reindex {
	my $id = $daemon->trigger('full-reindex', batchSize => 1);
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to be under way');
	my $pid = $daemon->wait_child('full-reindex');
	kill 'STOP', $pid;
	ok -s "$dir/building-$id.db", 'an index is half made';
	return ($id, $pid);
}

subtest 'cancelled' => sub {
	my ($id) = reindex();
	is $daemon->ctl('cancel', $id)->{status}, 0, 'cancelled';
	is_deeply files(), [], 'nothing is left when that is told';
};

subtest 'its worker was killed' => sub {
	my ($id, $pid) = reindex();
	kill 'KILL', $pid;
	is $daemon->wait_finished($id)->{status}, 'failed', 'failed';
	is_deeply files(), [], 'nothing is left';
};

subtest 'the daemon was killed, too often' => sub {
	my ($id) = reindex();
	$daemon->kill_hard;
	$daemon->start;
	is $daemon->operation($id)->{status}, 'failed', 'failed';
	is_deeply files(), [], 'nothing is left';
};

subtest 'interrupted, then cancelled' => sub {
	my ($id, $pid) = reindex();
	kill 'CONT', $pid;
	$daemon->ctl('pause', $id);
	$daemon->wait_status($id, 'queued');
	ok -s "$dir/building-$id.db", 'it is kept';
	$daemon->stop;
	$daemon->start;
	ok -s "$dir/building-$id.db", 'over a start of the daemon, too';
	is $daemon->ctl('cancel', $id)->{status}, 0, 'cancelled while it waits';
	is_deeply files(), [], 'nothing is left';
};

# A worker that was taken over could put a link there.
subtest 'a link in its place' => sub {
	my ($id, $pid) = reindex();
	my $file = $daemon->dir . '/victim';
	open my $out, '>', $file or die "$file: $!";
	unlink "$dir/building-$id.db" or die "unlink: $!";
	symlink $file, "$dir/building-$id.db" or die "symlink: $!";
	is $daemon->ctl('cancel', $id)->{status}, 0, 'cancelled';
	ok -e $file, 'is removed as a link';
	is_deeply files(), [], '... and nothing is left';
};

subtest 'interrupted, then completed' => sub {
	my ($id, $pid) = reindex();
	kill 'CONT', $pid;
	$daemon->ctl('pause', $id);
	my $before = $daemon->wait_status($id, 'queued')->{recordsProcessed};
	$daemon->ctl('resume', $id);
	my $operation = $daemon->wait_finished($id, 120);
	is $operation->{status}, 'completed', 'completed';
	is $operation->{recordsProcessed}, RECORDS, 'with all records';
	is_deeply files(), ['live.db'], 'only the index that is searched is there';
};

$daemon->expect_error(qr/an earlier daemon/);
$daemon->finish;
done_testing;
