# kill -9 of the supervisor in the middle of a real sync: the worker is gone, the
# index is untouched, and after the restart the operation goes on to its end.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::FakePDS;
use Backfilld::Test;

my $vectors = ($ENV{BACKFILLD_VECTORS} // '') . '/derived/synthetic-cars';
plan skip_all => "no test vectors at $vectors" unless -e "$vectors/manifest.json";

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

my $manifest = JSON::PP->new->decode(slurp("$vectors/manifest.json"));
my $did = 'did:plc:k256testaaaaaaaaaaaaaaaa';
my $good = slurp("$vectors/good-k256.car");
my $fake = Backfilld::FakePDS->start;
my $daemon = Backfilld::Test->new(net => $fake);
$fake->add_repo($did, $manifest->{dids}{$did}{did_doc}, $good);
$daemon->start;

$fake->answer_repo($did, $good, hold_after => 10_000);
my $id = $daemon->trigger('did-sync', did => $did);
$daemon->wait_operation($id, sub { ($_[0]{usage}{bytesFetched} // 0) > 0 },
	'to have fetched something');
my $worker = $daemon->wait_child('did-sync');
my $indexer = $daemon->wait_child('backfill-indexer');

$daemon->kill_hard;
wait_for { !is_alive($worker) && !is_alive($indexer) } 2, 'the children to end';
pass 'worker and indexer are gone within 2 s';
is $daemon->operation($id)->{status}, 'running',
	'the API still reads what was written last';

$fake->answer_repo($did, $good);
$daemon->start;
my $operation = $daemon->wait_finished($id);
is $operation->{status}, 'completed', 'after the restart it completes';
is $operation->{attempt}, 2, 'in its second attempt';
is $operation->{recordsProcessed}, 121, 'with all records, none counted twice';
is scalar @{ $daemon->records('--did', $did) }, 121, 'which are in the index';
is_deeply $daemon->xrpc_get('getBackfillStatus', { status => 'running' })
	->{json}{operations}, [], 'nothing is running without a process';

$daemon->finish;
done_testing;
