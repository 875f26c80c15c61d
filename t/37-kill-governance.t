# SIGKILL of governance-sync's worker at 20 random moments of one run: the graph, the
# numbers and the refused records are in the end those of an undisturbed run.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Graph;
use Backfilld::KillPlan;
use Backfilld::Net;
use Backfilld::Test;

use constant KILLS => 20;
use constant NODES => 1000;

my $plan = Backfilld::KillPlan->new;
my $net = Backfilld::Net->get;
my ($governance) = $net->seed(accounts => 1, records => 1);
my $graph = Backfilld::Graph->new($governance);
my @daemons = map { Backfilld::Test->new(net => $net, settings => {
	governance_did => $governance->did, max_attempts => 100 })->start($plan->count) } 1 .. 2;
my ($killed, $undisturbed) = @daemons;

# --- the graph, and what its owner does to it ---

sub name { return sprintf 'n%04d', $_[0] }

sub grow {
	$graph->begin;
	$graph->node(name($_)) for 0 .. NODES - 1;
	# One in a hundred leads to a node that comes later, or never.
	$graph->edge("e$_", name($_), name($_ % 100 == 99 ? NODES + $_ : ($_ * 7) % NODES))
		for map { sprintf '%04d', $_ } 0 .. NODES - 1;
	$graph->commit;
	$graph->bad_node("label-$_", label => $_) for 1 .. 3;
	$graph->bad_edge("weight-$_", weight => 1000 + $_) for 1 .. 4;
}

sub change {
	my ($round) = @_;
	my $from = $round * 50;

	$graph->begin;
	$graph->delete_node(name($_)) for $from .. $from + 9;
	$graph->node(name($_), label => "round $round") for $from + 10 .. $from + 29;
	$graph->node(name(NODES + $_)) for $from + 40 .. $from + 99;
	$graph->delete_edge(sprintf 'e%04d', $_) for $from .. $from + 4;
	$graph->commit;
	$graph->bad_node("round-$round", label => $round);
}

# --- a run that is killed, and one that is not ---

sub items_of {
	my ($daemon, $id) = @_;
	my $shown = $daemon->ctl('show', $id, '--items')->{lines};
	return [ map { "$_->{item} $_->{errorClass} $_->{error}" }
		map { @{ $_->{items} || [] } } @$shown ];
}

sub compare {
	my $other = $undisturbed->trigger('governance-sync');
	my $expected = $undisturbed->wait_finished($other);
	$killed->stop;
	$killed->start($plan->kill(KILLS, $plan->turns($undisturbed, $other) / 6));
	my $id = $killed->trigger('governance-sync');
	my $operation = $killed->wait_finished($id);

	is $plan->kills($killed, $id), KILLS, 'killed ' . KILLS . ' times';
	is $expected->{status}, 'completed', 'the undisturbed run completes'
		or diag $expected->{error};
	is $operation->{status}, 'completed', 'so does the one that was killed'
		or diag $operation->{error};
	is $operation->{$_}, $expected->{$_}, $_
		for qw(recordsProcessed totalRecords itemsFailed);
	is_deeply $operation->{changes}, $expected->{changes}, 'the same changes counted'
		or diag explain $operation->{changes}, $expected->{changes};
	is_deeply items_of($killed, $id), items_of($undisturbed, $other),
		'the same items, none twice';
	is_deeply $graph->shown($_->ctl('graph')), $graph->expected, 'the graph'
		for @daemons;
}

subtest 'a first graph' => sub {
	grow();
	compare();
};
subtest 'changes' => sub {
	change(1);
	compare();
};

$killed->expect_error(qr/was killed by signal 9/);
$_->finish for @daemons;
done_testing;
