package Backfilld::KillPlan;

# SIGKILL of an operation's worker at random moments of one run, again and again, and
# what comes of it beside a run that nobody disturbed.
#
#	my $plan = Backfilld::KillPlan->new;	# BF_TEST_SEED repeats it
#	$undisturbed->start($plan->count);	# a daemon whose workers count their turns
#	...
#	$killed->start($plan->kill(KILLS, $plan->turns($undisturbed, $other)));
#	...
#	is $plan->kills($killed, $id), KILLS;
#
# The worker dies by itself, at turns of its loop that the seed chooses
# (src/workers/kill_plan.h): so a quick machine has as many moments as a slow one.  In
# its first attempt it does so only behind its first checkpoint, since an operation that
# dies before that has failed (docs/lifecycle.md).

use strict;
use warnings;
use Test::More;

use constant LEAST_TURNS => 5;		# as kill_plan.c has it

sub new {
	my ($class) = @_;
	my $seed = $ENV{BF_TEST_SEED} || 1 + (time ^ $$);
	diag "BF_TEST_SEED=$seed";
	return bless { seed => $seed }, $class;
}

# What the daemon's workers are to do, for start() or restart() of Backfilld::Test.
sub count { return (env => { BF_KILL_PLAN => "1:0:0" }) }

# Die so often; turns: most that an attempt is to have.
sub kill {
	my ($self, $kills, $turns) = @_;
	$turns = LEAST_TURNS if $turns < LEAST_TURNS;
	note "$kills deaths within ", int $turns, ' turns each';
	return (env => { BF_KILL_PLAN => "$self->{seed}:$kills:" . int $turns });
}

# Die at one moment after the other, to the last: for work that begins anew each time.
sub sweep {
	my ($self, $kills, $turns) = @_;
	note "$kills deaths, one after the other in $turns turns";
	return (env => { BF_KILL_PLAN => "0:$kills:$turns" });
}

# How many turns the worker of an operation that has ended has counted.
sub turns {
	my ($self, $daemon, $id) = @_;
	my ($turns) = $daemon->log =~ /: op $id: (\d+) turns$/m;
	return $turns // die "the worker of $id has not counted its turns\n";
}

# How often the operation's worker was killed, as its supervisor has seen it.
sub kills {
	my ($self, $daemon, $id) = @_;
	return scalar(() = $daemon->log
		=~ /op $id [\w-]+: interrupted: the worker was killed by signal 9/g);
}

1;
