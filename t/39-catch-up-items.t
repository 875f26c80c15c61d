# A catch-up whose worker is killed at one moment after the other, also between the
# word that a repository failed and the saving of that: each is listed and counted once.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::FakeRelay;
use Backfilld::KillPlan;
use Backfilld::Test;

use constant KILLS => 12;
use constant REPOS => 60;
use constant FAILED => 20;

my $plan = Backfilld::KillPlan->new;
my $peer = Backfilld::FakePeer->start(hosts => 1);
my $relay = Backfilld::FakeRelay->start($peer->pds_url(1));	# its list, and no event
my %settings = (relay_url => $relay->url, relay_idle_ms => 200, max_attempts => 100,
	fetch_retries => 0, host_requests_per_s => 60);
my ($killed, $undisturbed, $once) = map { Backfilld::Test->new(net => $peer,
	settings => \%settings) } 1 .. 3;
my $first = $peer->add(count => REPOS, host => 1, records => 1);
my @failing = map { $peer->did($first + 3 * $_) } 0 .. FAILED - 1;

$relay->script({});
$peer->control('warm');
$peer->fault(kind => 'html', on => 'getRepo', did => $_, to => '<html>', why => $_)
	for @failing;

sub catch_up {
	my ($daemon) = @_;
	my $id = $daemon->trigger('catch-up');
	my $operation = $daemon->wait_finished($id, 200);
	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	return $operation;
}

# Its items, with each repetition.
sub is_each_once {
	my ($daemon, $operation) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{json};
	is_deeply [ sort map { $_->{item} } @{ $shown->{items} } ], [ sort @failing ],
		'what failed is listed, each once';
	is $operation->{itemsFailed}, FAILED, '... and counted once';
}

my $expected;
subtest 'undisturbed' => sub {
	$undisturbed->start($plan->count);
	$expected = catch_up($undisturbed);
	is_each_once($undisturbed, $expected);
};

subtest 'killed' => sub {
	$killed->start($plan->kill(KILLS,
		$plan->turns($undisturbed, $expected->{id}) / 2));
	my $operation = catch_up($killed);
	is $plan->kills($killed, $operation->{id}), KILLS, 'killed ' . KILLS . ' times';
	is_each_once($killed, $operation);
	is scalar @{ $killed->ctl('repos')->{lines} }, REPOS - FAILED, 'all others are indexed';
};

# Each fails once: those whose failure was saved are failed items, and those that were
# fetched again, since it was not, are none.
subtest 'killed, and what failed works the next time' => sub {
	$peer->clear_faults;
	$peer->fault(kind => 'html', on => 'getRepo', did => $_, to => '<html>', why => $_,
		times => 1) for @failing;
	$once->start($plan->kill(KILLS,
		$plan->turns($undisturbed, $expected->{id}) / 2));
	my $operation = catch_up($once);
	my @listed = sort map { $_->{item} }
		@{ $once->ctl('show', $operation->{id}, '--items')->{json}{items} };
	my %indexed = map { $_->{did} => 1 } @{ $once->ctl('repos')->{lines} };
	is_deeply \@listed, [ sort grep { !$indexed{$_} } @failing ],
		'what is listed is not indexed, and all else is';
	is $operation->{itemsFailed}, @listed, '... and that is the number';
	cmp_ok scalar @listed, '<', FAILED, 'some worked';
};

subtest 'how much there is to fetch is known, and shown' => sub {
	my $slow = Backfilld::Test->new(net => $peer, settings => { %settings,
		host_requests_per_s => 10 });
	$slow->start;
	my $id = $slow->trigger('catch-up');
	my $runs = $slow->wait_operation($id, sub { $_[0]{etaSeconds} }, 'to tell how long yet');
	is $runs->{stage}, 're-syncing', 'it fetches what is marked';
	is $runs->{stageProgress}{total}, REPOS, '... of which it knows how many';
	cmp_ok $runs->{stageProgress}{done}, '<', REPOS, '... and how many are done';
	is $runs->{progress}, int($runs->{stageProgress}{done} * 100 / REPOS), '... of hundred';
	is $runs->{recordsProcessed}, 0, 'none of which is an event';
	my $shown = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl", '-s',
		$slow->socket, 'show', $id)->{out};
	like $shown, qr/^  this stage  \d+ of ${\REPOS}, \d+%, .* to go$/m, 'backfillctl shows it';
	$runs = $slow->wait_finished($id, 200);
	ok !exists $runs->{stageProgress}, 'in the end there is no stage';
	$slow->finish;
};

$_->finish for $killed, $undisturbed, $once;
$relay->stop;
$peer->stop;
done_testing;
