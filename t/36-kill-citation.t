# kill -9 at random moments of a citation-extraction, again and again: what is in the
# index in the end, and every number, are those of a run that nobody disturbed.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::Net;
use Backfilld::Pdf;
use Backfilld::Test;

use constant EPRINT => 'pub.chive.eprint.submission';
use constant { EPRINTS => 48, KILLS => 12 };

plan skip_all => 'pdftotext is not installed (poppler-utils)'
	if !-x '/usr/bin/pdftotext' && !$ENV{CI};

my $seed = $ENV{BF_KILL_SEED} || time;
srand $seed;
diag "BF_KILL_SEED=$seed";

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
	my (%settings) = @_;
	my $daemon = Backfilld::Test->new(net => $net, settings => {
		max_attempts => 100, citation_concurrency => 3, %settings });
	$daemon->start;
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

my $calm = start(host_requests_per_s => 100);
my $expected = result($calm, $calm->wait_finished($calm->trigger('citation-extraction'),
	180));
is $expected->{status}, 'completed', 'an undisturbed run completes';
is $expected->{recordsProcessed}, EPRINTS, 'with all eprints';
is $expected->{itemsFailed}, EPRINTS / 6, '... of which some cannot be done';
is +(() = $expected->{citations} =~ /"method":"title"/g), EPRINTS / 6 * 5 * 2,
	'... and the others cite their neighbours, not themselves';
$calm->finish;

# Slow enough that there is a middle to be met: two at once, then one a second.
my $daemon = start(host_requests_per_s => 1);
my $id = $daemon->trigger('citation-extraction');
$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 2 }, 'to be midway');
is $daemon->ctl('pause', $id)->{status}, 0, 'it can be paused';
my $paused = $daemon->wait_status($id, 'queued');
cmp_ok $paused->{recordsProcessed}, '<', EPRINTS, '... in the middle';
is $daemon->ctl('resume', $id)->{status}, 0, '... and go on';
my $attempt = $daemon->wait_status($id, 'running')->{attempt};

my ($kills, $midway) = (0, 0);
while ($kills < KILLS) {
	my $moment = Time::HiRes::time() + rand 1;
	my $operation;
	wait_for {
		$operation = $daemon->operation($id);
		Time::HiRes::time() >= $moment || $operation->{status} eq 'completed'
	} 60, 'the moment';
	last if $operation->{status} eq 'completed';
	my $processed = $operation->{recordsProcessed};
	my ($worker) = $daemon->children('citation-extraction');
	$daemon->kill_hard;
	$kills++;
	$midway++ if $processed > 0 && $processed < EPRINTS;
	wait_for { !defined $worker || !is_alive($worker) } 10, 'the worker to end';
	$daemon->start;
}
my $operation = $daemon->wait_finished($id, 180);
diag "$kills kills, $midway of them with some but not all eprints done";
cmp_ok $kills, '>=', 5, 'it was killed often';
cmp_ok $midway, '>=', 2, '... also in the middle';
is $operation->{attempt}, $kills + $attempt, '... and went on each time';
is_deeply result($daemon, $operation), $expected,
	'numbers, items and citations are those of the undisturbed run';
$daemon->finish;
done_testing;
