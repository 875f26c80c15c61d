# SIGKILL of governance-sync's worker at random moments, again and again: the graph,
# the numbers and the refused records are in the end those of an undisturbed run.
#
# BF_TEST_SEED repeats a run.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::Graph;
use Backfilld::Net;
use Backfilld::Test;

use constant KILLS => 20;
use constant ROUNDS_MOST => 18;
use constant NODES => 1000;

my $seed = $ENV{BF_TEST_SEED} || time;
srand $seed;
diag "BF_TEST_SEED=$seed";

my $net = Backfilld::Net->get;
my ($governance) = $net->seed(accounts => 1, records => 1);
my $graph = Backfilld::Graph->new($governance);
my @daemons = map { Backfilld::Test->new(net => $net, settings => {
	governance_did => $governance->did, max_attempts => 100 })->start } 1 .. 2;
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

sub is_over { return $killed->operation($_[0])->{status} !~ /^(queued|running)$/ }

# It has its temporary file, which came with its assignment.
sub is_assigned {
	my $fds = eval { proc_fds($_[0]) } || {};
	return scalar grep { /\(deleted\)/ } values %$fds;
}

# Its worker has told a stage of its own, before which it sends a checkpoint.
sub has_begun { return ($killed->operation($_[0])->{stage} // '') !~ /^(starting)?$/ }

# A worker that goes on from a checkpoint or, the first time, has sent one.
sub find_worker {
	my ($id, $last) = @_;
	my $pid;

	wait_for {
		($pid) = grep { $_ != $last && is_alive($_) } $killed->children('governance-sync');
		is_over($id) ||
			($pid && ($last ? is_assigned($pid) : has_begun($id)))
	} 60, 'a worker';
	return $pid;
}

sub kill_often {
	my ($id, $most, $seconds) = @_;
	my ($kills, $last) = (0, 0);

	while ($kills < $most) {
		my $pid = find_worker($id, $last) or last;
		my $due = Time::HiRes::time() + rand $seconds / 3;
		wait_for { Time::HiRes::time() >= $due || !is_alive($pid) } 60, 'the moment';
		last if !kill 'KILL', $pid;
		$last = $pid;
		$kills++;
	}
	return $kills;
}

sub items_of {
	my ($daemon, $id) = @_;
	my $shown = $daemon->ctl('show', $id, '--items')->{lines};
	return [ map { "$_->{item} $_->{errorClass} $_->{error}" }
		map { @{ $_->{items} || [] } } @$shown ];
}

# Returns how often it was killed.
sub compare {
	my ($most) = @_;
	my $other = $undisturbed->trigger('governance-sync');
	my $start = Time::HiRes::time();
	my $expected = $undisturbed->wait_finished($other);
	my $seconds = Time::HiRes::time() - $start;
	my $id = $killed->trigger('governance-sync');
	my $kills = kill_often($id, $most, $seconds);
	my $operation = $killed->wait_finished($id);

	is $expected->{status}, 'completed', 'the undisturbed run completes'
		or diag $expected->{error};
	is $operation->{status}, 'completed', "so does the one killed $kills times"
		or diag $operation->{error};
	is $operation->{$_}, $expected->{$_}, $_
		for qw(recordsProcessed totalRecords itemsFailed);
	is_deeply $operation->{changes}, $expected->{changes}, 'the same changes counted'
		or diag explain $operation->{changes}, $expected->{changes};
	is_deeply items_of($killed, $id), items_of($undisturbed, $other),
		'the same items, none twice';
	is_deeply $graph->shown($_->ctl('graph')), $graph->expected, 'the graph'
		for @daemons;
	return $kills;
}

my $kills = 0;
subtest 'a first graph' => sub {
	grow();
	$kills += compare(KILLS);
};
for my $round (1 .. ROUNDS_MOST) {
	last if $kills >= KILLS;
	subtest "changes, round $round" => sub {
		change($round);
		$kills += compare(KILLS - $kills);
	};
}
cmp_ok $kills, '>=', KILLS / 4, "killed $kills times in all";

$killed->expect_error(qr/was killed by signal 9/);
$_->finish for @daemons;
done_testing;
