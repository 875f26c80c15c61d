# A retry runs what failed in an earlier operation, and nothing else; a type that
# works on many repositories gets as many temporary files.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
$daemon->start;

sub texts { return map { $_->{text} // '' } @{ history($_[0])->{events} } }
sub history { return $daemon->ctl('show', $_[0], '--events', '--items')->{json} }

subtest 'a type whose executable is dropped in works without further ado' => sub {
	my $answer = $daemon->ctl('trigger', 'pds-scan');
	isnt $answer->{status}, 0, 'not there: refused';
	like $answer->{err}, qr/no worker for pds-scan is installed/, 'it says so';
	symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/pds-scan"
		or die "symlink: $!";
	is $daemon->ctl('trigger', 'pds-scan', '--wait')->{status}, 0, 'there: it completes';
};

subtest 'temporary files: as many as the type works on repositories' => sub {
	my $did_sync = $daemon->trigger('did-sync', did => null_op_did('spill-files'));
	my $scan = $daemon->trigger('pds-scan', pdsUrl => 'https://spill-files.test');
	$daemon->wait_finished($_) for $did_sync, $scan;
	ok +(grep { $_ eq '1 temporary files' } texts($did_sync)), 'did-sync: one';
	# LIMIT_WORKER_SPILL_FILES
	ok +(grep { $_ eq '8 temporary files' } texts($scan)), 'pds-scan: eight';
};

my $first = $daemon->trigger('pds-scan', pdsUrl => 'https://items-dids.test');
is $daemon->wait_finished($first)->{status}, 'completed', 'an operation with failed items';

subtest 'the retry gets the repositories and the server among them, each once' => sub {
	my $retry = $daemon->ctl('retry', '--failed', $first, '--wait');
	is $retry->{status}, 0, 'it completes' or diag $retry->{err};
	my $op = $retry->{json};
	is $op->{type}, 'pds-scan', 'the same type';
	is_deeply $op->{params}, { pdsUrl => 'https://items-dids.test', itemsOf => $first },
		'the same parameters, and whose items they are';
	is $op->{recordsProcessed}, 3, 'three items';
	is_deeply [ grep { /^again/ } texts($op->{id}) ],
		[ 'again: did:web:one.test', 'again: https://two.test',
			'again: did:web:three.test' ], 'in their order';
};

subtest 'what cannot be retried is refused with its reason' => sub {
	symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/governance-sync"
		or die "symlink: $!";
	my $done = $daemon->trigger('governance-sync');
	$daemon->wait_finished($done);
	my $failed = $daemon->trigger('did-sync', did => null_op_did('fail'));
	$daemon->wait_finished($failed);
	my %cases = (
		$done => qr/governance-sync: its failed items cannot be run alone/,
		$failed => qr/nothing failed in operation $failed/,
		'3kaaaaaaaaaa2' => qr/there is no operation 3kaaaaaaaaaa2/,
		'nonsense' => qr/there is no operation nonsense/,
	);
	my $clean = $daemon->trigger('pds-scan', pdsUrl => 'https://finish.test');
	$daemon->wait_finished($clean);
	$cases{$clean} = qr/nothing failed in operation $clean/;
	my $running = $daemon->trigger('pds-scan', pdsUrl => 'https://run.test');
	$daemon->wait_status($running, 'running');
	$cases{$running} = qr/operation $running has not ended/;
	for my $id (sort keys %cases) {
		my $answer = $daemon->ctl('retry', '--failed', $id);
		isnt $answer->{status}, 0, "$id is refused";
		like $answer->{err}, $cases{$id}, 'and why';
	}
	is $daemon->ctl('retry', $first)->{status}, 2, 'without --failed: usage';
	$daemon->xrpc_post('cancelBackfill', { id => $running });
};

subtest 'a retry is not the operation that it repeats: both may run' => sub {
	my $scan = $daemon->trigger('pds-scan', pdsUrl => 'https://items-dids.test');
	$daemon->wait_finished($scan);
	is $daemon->ctl('retry', '--failed', $scan, '--wait')->{status}, 0, 'the retry runs';
};

$daemon->finish;
done_testing;
