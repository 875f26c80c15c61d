# SIGKILL of citation-extraction's worker at 20 random moments of one run, and of the
# daemon in another: what is in the index in the end, and every number, are those of a run
# that nobody disturbed.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::KillPlan;
use Backfilld::Net;
use Backfilld::Pdf;
use Backfilld::Test;

use constant EPRINT => 'pub.chive.eprint.submission';
use constant { EPRINTS => 48, KILLS => 20, DAEMON_KILLS => 3 };

plan skip_all => 'pdftotext is not installed (poppler-utils)'
	if !-x '/usr/bin/pdftotext' && !$ENV{CI};

my $plan = Backfilld::KillPlan->new;
my $net = Backfilld::Net->get;
my @accounts = $net->seed(accounts => 2, records => 3);

# Each cites its two neighbours; every sixth is no PDF.
sub title { return 'A work of number ' . (100 + $_[0] % EPRINTS) . ' of these' }
for my $i (0 .. EPRINTS - 1) {
	my $pdf = pdf('References', '', map {
		my $title = title($i + $_);
		("Ann Author and Bob Writer. 2017. $title. In Proceedings.", '')
	} 0 .. 2);
	my $account = $accounts[$i % 2];
	$account->create(EPRINT, { title => title($i), document => $account->upload_blob(
		$i % 6 == 5 ? "no PDF of number $i" : $pdf, 'application/pdf') });
}

sub start {
	my ($plan, %settings) = @_;
	my $daemon = Backfilld::Test->new(net => $net, settings => {
		max_attempts => 100, citation_concurrency => 3, %settings });
	$daemon->start(%$plan);
	for my $account (@accounts) {
		my $id = $daemon->trigger('did-sync', did => $account->did);
		is $daemon->wait_finished($id, 120)->{status}, 'completed', 'synced';
	}
	return $daemon;
}

# What a run comes to: the numbers, the failed items, the citations.  An item may be
# told a second time if the kill falls between it and the checkpoint behind it.
sub result {
	my ($daemon, $operation) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{json};
	return {
		(map { $_ => $operation->{$_} } qw(status recordsProcessed totalRecords
			itemsFailed changes)),
		items => [ sort keys %{ { map { $_->{item} => 1 } @{ $shown->{items} } } } ],
		citations => $daemon->ctl('citations')->{out},
	};
}

my $calm = start({ $plan->count }, host_requests_per_s => 100);
my $calm_id = $calm->trigger('citation-extraction');
my $expected = result($calm, $calm->wait_finished($calm_id, 180));
is $expected->{status}, 'completed', 'an undisturbed run completes';
is $expected->{recordsProcessed}, EPRINTS, 'with all eprints';
is $expected->{itemsFailed}, EPRINTS / 6, '... of which some cannot be done';
is +(() = $expected->{citations} =~ /"method":"title"/g), EPRINTS / 6 * 5 * 2,
	'... and the others cite their neighbours, not themselves';
my $turns = $plan->turns($calm, $calm_id);
$calm->finish;

subtest 'a worker that is killed' => sub {
	my $daemon = start({ $plan->kill(KILLS, $turns / 10) }, host_requests_per_s => 100);
	my $id = $daemon->trigger('citation-extraction');
	my $operation = $daemon->wait_finished($id, 180);

	is $plan->kills($daemon, $id), KILLS, 'killed ' . KILLS . ' times';
	is $operation->{attempt}, KILLS + 1, 'an attempt for each, and the last';
	is_deeply result($daemon, $operation), $expected,
		'numbers, items and citations are those of the undisturbed run';
	$daemon->finish;
};

subtest 'a pause, and a daemon that is killed' => sub {
	# Slow enough that there is a middle to be met.
	my $daemon = start({}, host_requests_per_s => 4);
	my $id = $daemon->trigger('citation-extraction');
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 2 }, 'to be midway');
	is $daemon->ctl('pause', $id)->{status}, 0, 'it can be paused';
	my $paused = $daemon->wait_status($id, 'queued');
	cmp_ok $paused->{recordsProcessed}, '<', EPRINTS, '... in the middle';
	is $daemon->ctl('resume', $id)->{status}, 0, '... and go on';
	my $attempt = $daemon->wait_status($id, 'running')->{attempt};

	for (1 .. DAEMON_KILLS) {
		my $before = $daemon->operation($id)->{recordsProcessed};
		$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > $before }, 'to go on');
		my ($worker) = $daemon->children('citation-extraction');
		$daemon->kill_hard;
		wait_for { !defined $worker || !is_alive($worker) } 10, 'the worker to end';
		$daemon->start;
	}
	my $operation = $daemon->wait_finished($id, 180);
	is $operation->{attempt}, DAEMON_KILLS + $attempt, 'it went on each time';
	is_deeply result($daemon, $operation), $expected,
		'numbers, items and citations are those of the undisturbed run';
	$daemon->finish;
};
done_testing;
