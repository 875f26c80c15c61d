# A full disk is nobody's item: an operation whose writes the indexer refuses for want of
# room says so, once, waits, and goes on when there is some.  It can be paused and
# cancelled meanwhile.  The file size limit of the indexer stands in for a full disk.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::CatchUp;
use Backfilld::FakePeer;
use Backfilld::Net;
use Backfilld::Pdf;
use Backfilld::Test;

use constant EPRINT => 'pub.chive.eprint.submission';
use constant { REPOS => 40, RECORDS => 4, EPRINTS => 12 };

sub limit_files {
	my ($daemon, $bytes) = @_;
	my $pid = $daemon->wait_child('backfill-indexer');
	system('prlimit', '--pid', $pid, "--fsize=$bytes:unlimited") == 0
		or die "prlimit: $?";
}

sub fill_disk { limit_files($_[0], 4096) }
sub make_room { limit_files($_[0], 'unlimited') }

sub texts {
	my ($daemon, $id) = @_;
	return map { $_->{text} // () }
		@{ $daemon->ctl('show', $id, '--events')->{json}{events} };
}

sub wait_told {
	my ($daemon, $id, $pattern) = @_;
	wait_for { grep { /$pattern/ } texts($daemon, $id) } 60, "history to say $pattern";
}

# It came to its end although the disk was full; attempts: in each of which it was.
sub is_whole {
	my ($daemon, $id, $records, $attempts) = @_;
	my $operation = $daemon->wait_finished($id, 120);
	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is $operation->{recordsProcessed}, $records, 'each is counted once';
	is $operation->{itemsFailed} // 0, 0, 'no item has failed';
	is scalar(grep { /disk is full/ } texts($daemon, $id)), $attempts // 1,
		'its history tells of the full disk once';
	is scalar(grep { /room on the disk again/ } texts($daemon, $id)), 1,
		'... and that there is room again';
	return $operation;
}

my $peer = Backfilld::FakePeer->start(hosts => 2);
$peer->add(count => REPOS / 2, host => $_, records => RECORDS - 1) for 1, 2;
$peer->control('warm');

for my $type ('pds-scan', 'full-sync') {
	subtest $type => sub {
		my $daemon = Backfilld::Test->new(net => $peer, settings => {
			relay_url => $peer->relay_url, host_requests_per_s => 1000 });
		$daemon->start;
		is $daemon->wait_finished($daemon->trigger('pds-scan'))->{status}, 'completed',
			'there is an index' if $type ne 'pds-scan';
		fill_disk($daemon);
		$peer->forget;
		my $id = $daemon->trigger($type);
		wait_told($daemon, $id, qr/disk is full/);

		my $began = time;
		is $daemon->ctl('pause', $id)->{status}, 0, 'paused';
		$daemon->wait_status($id, 'queued', 30);
		cmp_ok time - $began, '<', 9, '... which waits for no room';
		is $daemon->operation($id)->{itemsFailed} // 0, 0, 'nothing has failed';
		cmp_ok $peer->asked('getRepo'), '<', REPOS, 'what has no room is not fetched';
		$daemon->ctl('resume', $id);
		wait_for { grep(/disk is full/, texts($daemon, $id)) == 2 } 60, 'the same again';

		make_room($daemon);
		my $operation = is_whole($daemon, $id, REPOS, 2);
		is $operation->{changes}{created}, $type eq 'pds-scan' ? RECORDS * REPOS : 0,
			'all is written once';
		is @{ $daemon->records }, RECORDS * REPOS, 'and indexed';

		fill_disk($daemon);
		my $cancelled = $daemon->trigger('full-sync');
		wait_told($daemon, $cancelled, qr/disk is full/);
		$daemon->ctl('cancel', $cancelled);
		is $daemon->operation($cancelled)->{status}, 'cancelled', 'one can be cancelled';
		make_room($daemon);
		$daemon->expect_error(qr/cannot write: .*reading goes on/);
		$daemon->finish;
	};
}

subtest 'catch-up' => sub {
	my ($net, $relay) = prepare_catch_up();
	my $daemon = new_daemon();
	$relay->script({});
	fill_disk($daemon);
	my $id = $daemon->trigger('catch-up');
	wait_told($daemon, $id, qr/disk is full/);
	make_room($daemon);
	is_undisturbed($daemon, is_whole($daemon, $id, EVENTS));

	$daemon->expect_error(qr/cannot write: .*reading goes on/);
	$daemon->finish;
	$relay->stop;
	$net->stop;
};

subtest 'citation-extraction' => sub {
	plan skip_all => 'pdftotext is not installed (poppler-utils)'
		if !-x '/usr/bin/pdftotext' && !$ENV{CI};
	my $net = Backfilld::Net->get;
	my ($ann) = $net->seed(accounts => 1, records => 1);
	my $daemon = Backfilld::Test->new(net => $net);
	$ann->create(EPRINT, { title => "Eprint $_", document => $ann->upload_blob(
		pdf('References', '', "[1] doi:10.1234/one-$_"), 'application/pdf') })
		for 1 .. EPRINTS;
	$daemon->start;
	my $sync = $daemon->trigger('did-sync', did => $ann->did);
	is $daemon->wait_finished($sync)->{status}, 'completed', 'eprints are indexed';

	fill_disk($daemon);
	my $id = $daemon->trigger('citation-extraction');
	wait_told($daemon, $id, qr/disk is full/);
	is $daemon->ctl('pause', $id)->{status}, 0, 'paused';
	$daemon->wait_status($id, 'queued', 30);
	$daemon->ctl('resume', $id);
	wait_for { grep(/disk is full/, texts($daemon, $id)) == 2 } 60, 'the same again';
	make_room($daemon);
	my $operation = is_whole($daemon, $id, EPRINTS, 2);
	is $operation->{changes}{created}, 2 * EPRINTS, 'a citation of each, and its summary';

	$daemon->expect_error(qr/cannot write: .*reading goes on/);
	$daemon->finish;
};

$peer->stop;
done_testing;
