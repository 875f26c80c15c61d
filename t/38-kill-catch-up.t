# catch-up whose worker, or whose daemon, is killed again and again: it ends as one that
# nobody disturbed, and the index is what the PDS lists.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::CatchUp;
use Backfilld::KillPlan;
use Backfilld::Test;

use constant { KILLS => 20, DAEMON_KILLS => 6 };

my ($net, $relay) = prepare_catch_up();

subtest 'a worker that is killed at 20 random moments' => sub {
	my $plan = Backfilld::KillPlan->new;

	# So slowly that there is a checkpoint, and something left to do behind it.
	$relay->script({ pace_ms => 100 });
	my $calm = new_daemon($plan->count);
	my $turns = $plan->turns($calm, catch_up($calm)->{id});
	$calm->finish;

	my $daemon = new_daemon($plan->kill(KILLS, $turns / 10));
	my $id = $daemon->trigger('catch-up');
	my $operation = $daemon->wait_finished($id, 120);
	is $plan->kills($daemon, $id), KILLS, 'killed ' . KILLS . ' times';
	is $operation->{attempt}, KILLS + 1, 'an attempt for each, and the last';
	is_undisturbed($daemon, $operation);
	$daemon->finish;
};

subtest 'a daemon that is killed' => sub {
	my $daemon = new_daemon();

	$relay->script({ pace_ms => 300 });
	my $id = $daemon->trigger('catch-up');
	for my $kill (1 .. DAEMON_KILLS) {
		$daemon->wait_child('catch-up');
		my $until = Time::HiRes::time() + 0.1 + rand 1.1;
		wait_for { Time::HiRes::time() > $until
			|| $daemon->operation($id)->{status} ne 'running' } 30, 'a moment';
		$daemon->kill_hard;
		$daemon->start;
		last if $daemon->operation($id)->{status} !~ /running|queued/;
	}
	my $operation = $daemon->wait_finished($id, 120);
	cmp_ok $operation->{attempt}, '>', 1, "in $operation->{attempt} attempts";
	is_undisturbed($daemon, $operation);
	$daemon->finish;
};

$relay->stop;
done_testing;
