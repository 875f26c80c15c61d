# kill -9 of the supervisor in the middle of a real sync: the worker is gone, the
# index is untouched, and after the restart the operation goes on to its end.  SIGKILL of
# the worker at every turn of its loop: all is as in a run that nobody disturbed.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::FakePDS;
use Backfilld::KillPlan;
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

# A repository of which one record is refused, so that items are counted, too.
use constant KILLS => 90;

sub result {
	my ($daemon, $operation) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{json};
	return {
		(map { $_ => $operation->{$_} } qw(status recordsProcessed totalRecords
			itemsFailed changes)),
		items => [ map { "$_->{item} $_->{errorClass}" } @{ $shown->{items} } ],
		records => [ sort map { "$_->{uri} $_->{cid}" } @{ $daemon->records } ],
	};
}

subtest 'a worker that is killed at each turn of its loop' => sub {
	my $plan = Backfilld::KillPlan->new;
	my ($calm, $killed) = map { Backfilld::Test->new(net => $fake,
		settings => { max_attempts => 100 }) } 1 .. 2;

	$fake->answer_repo($did, slurp("$vectors/rec-float.car"));
	$calm->start($plan->count);
	my $id = $calm->trigger('did-sync', did => $did);
	my $expected = result($calm, $calm->wait_finished($id));
	is $expected->{itemsFailed}, 1, 'an undisturbed run refuses a record';

	my $turns = $plan->turns($calm, $id);
	$killed->start($plan->sweep(KILLS, KILLS));
	$id = $killed->trigger('did-sync', did => $did);
	my $operation = $killed->wait_finished($id);
	my $kills = $plan->kills($killed, $id);
	cmp_ok $kills, '>=', $turns, "killed $kills times, later each time";
	is $operation->{attempt}, $kills + 1, 'until there was no later moment';
	is_deeply result($killed, $operation), $expected, 'all is as in the undisturbed run';
	$_->finish for $calm, $killed;
};
done_testing;
