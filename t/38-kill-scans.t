# SIGKILL of the worker at 20 random moments of one run, for each type of scan: what
# is indexed, counted and listed in the end is what an undisturbed run says.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::KillPlan;
use Backfilld::Test;

use constant KILLS => 20;
use constant HOSTS => 3;
use constant REPOS => 200;	# of each host

my $plan = Backfilld::KillPlan->new;
my $peer = Backfilld::FakePeer->start(hosts => HOSTS);
my %settings = (
	relay_url => $peer->relay_url,
	max_attempts => 100,
	fetch_retries => 0,
	host_requests_per_s => 100,	# a run takes some seconds, and checkpoints are one a second
	map { ("freshness_${_}_ms" => 0) } qw(urgent recent normal background),
);
my @daemons = map { Backfilld::Test->new(net => $peer, settings => \%settings)
	->start($plan->count) } 1 .. 2;
my ($killed, $undisturbed) = @daemons;

$peer->add(count => REPOS, host => $_, records => 2) for 1 .. HOSTS;
$peer->control('warm');
# One of each host is never sound, so that items are counted too.
$peer->fault(kind => 'html', on => 'getRepo', did => $peer->did($_ * REPOS - 1),
	to => '<html>', why => "repository of host $_") for 1 .. HOSTS;

# All that is said of the index, without times.
sub index_of {
	my ($daemon) = @_;
	my @repos = sort map {
		join ' ', map { $_ // '' } @$_{qw(did pdsUrl rev status records)}
	} @{ $daemon->ctl('repos')->{lines} };
	my @records = sort map { "$_->{uri} $_->{cid}" } @{ $daemon->records };
	return (\@repos, \@records);
}

sub items_of {
	my ($daemon, $id) = @_;
	my %seen;
	my $shown = $daemon->ctl('show', $id, '--items')->{lines};
	return [ sort grep { !$seen{$_}++ } map { "$_->{item} $_->{errorClass}" }
		map { @{ $_->{items} || [] } } @$shown ];
}

sub compare {
	my ($type, %params) = @_;
	my $other = $undisturbed->trigger($type, %params);
	my $expected = $undisturbed->wait_finished($other, 200);
	$killed->stop;
	$killed->start($plan->kill(KILLS, $plan->turns($undisturbed, $other) / 20));
	my $id = $killed->trigger($type, %params);
	my $operation = $killed->wait_finished($id, 200);

	is $plan->kills($killed, $id), KILLS, 'killed ' . KILLS . ' times';
	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is $expected->{status}, 'completed', 'so does the other one'
		or diag $expected->{error};
	is $operation->{attempt}, KILLS + 1, 'an attempt for each, and the last';
	for my $what (qw(recordsProcessed totalRecords itemsFailed)) {
		is $operation->{$what}, $expected->{$what}, $what;
	}
	is_deeply $operation->{changes}, $expected->{changes}, 'the same changes counted';
	is_deeply items_of($killed, $id), items_of($undisturbed, $other), 'the same items'
		or diag explain items_of($killed, $id), items_of($undisturbed, $other);
	my ($repos, $records) = index_of($killed);
	my ($expected_repos, $expected_records) = index_of($undisturbed);
	is_deeply $repos, $expected_repos, 'the same repositories';
	is_deeply $records, $expected_records, 'the same records';
	return $operation;
}

# Something of everything happens to some repositories of each host.
sub change {
	for my $host (0 .. HOSTS - 1) {
		my $first = $host * REPOS + 10;
		my $rest = $first + REPOS - 60;
		$peer->set(number => $first, count => REPOS - 60, touch => 1);
		$peer->set(number => $rest + 1, count => 20, status => $peer->GONE);
		$peer->set(number => $rest + 22, count => 10, status => $peer->DEACTIVATED);
		$peer->set(number => $rest + 33, count => 5, unlisted => 1);
		$peer->set(number => $rest + 39, count => 5, tombstoned => 1,
			status => $peer->GONE);
	}
}

subtest 'a first pds-scan' => sub {
	my $operation = compare('pds-scan');
	is $operation->{recordsProcessed}, HOSTS * REPOS, 'every repository once';
	is $operation->{itemsFailed}, HOSTS, 'the unsound ones';
};

subtest 'a pds-scan after changes' => sub {
	change();
	compare('pds-scan');
};

subtest 'a freshness-scan after changes' => sub {
	$peer->set(number => 5, count => HOSTS * REPOS - 10, touch => 1);
	compare('freshness-scan');
};

subtest 'a full-sync' => sub {
	compare('full-sync');
};

$peer->check_faults;
$_->expect_error(qr/worker-died|was killed by signal 9/) for @daemons;
$_->finish for @daemons;
$peer->stop;
done_testing;
