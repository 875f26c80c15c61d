# Operations by the clock: each turn once, also across restarts, never two at a time.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();
symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/$_"
	for qw(pds-scan freshness-scan governance-sync);

sub section {
	my ($name, %options) = @_;
	return qq(schedule "$name" {\n)
		. join('', map { qq(\t$_ = "$options{$_}"\n) } sort keys %options) . "}\n";
}

my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec }, sections =>
	section('freshness-scan', every => '1 s')
	. section('the slow one', every => '1 s', type => 'pds-scan',
		pds_url => 'https://run.test')
	. section('nightly', daily => '03:00', type => 'governance-sync'));
$daemon->start;

sub schedule {
	my ($name) = @_;
	my ($found) = grep { $_->{name} eq $name } @{ $daemon->ctl('schedules')->{lines} };
	return $found;
}

sub of_type { return @{ $daemon->xrpc_get('getBackfillStatus',
	{ type => $_[0] })->{json}{operations} } }

subtest 'it has its turns' => sub {
	wait_for { of_type('freshness-scan') >= 2 } 60, 'two turns';
	my ($op) = of_type('freshness-scan');
	is $op->{triggeredBy}, 'schedule freshness-scan', 'who triggered it is said';
	my $row = schedule('freshness-scan');
	is $row->{rule}, 'every 1 s', 'the rule is told';
	ok $row->{nextAt} && $row->{lastAt} && $row->{lastId}, 'and its turns';
	my $nightly = schedule('nightly');
	like $nightly->{nextAt}, qr/^\d{4}-\d\d-\d\dT\d\d:00:00/, 'the nightly one is planned';
	ok !$nightly->{lastAt}, 'and had no turn yet';
};

subtest 'while the operation runs, turns are skipped, and that is noted once' => sub {
	my ($op) = of_type('pds-scan');
	is $op->{status}, 'running', 'one runs';
	my $first = schedule('the slow one')->{skippedAt};
	wait_for { ($first = schedule('the slow one')->{skippedAt}) } 60, 'a skipped turn';
	wait_for { schedule('the slow one')->{skippedAt} gt $first } 60, 'another one';
	is scalar(of_type('pds-scan')), 1, 'there is only one';
	my $history = $daemon->ctl('show', $op->{id}, '--events')->{json}{events};
	is scalar(grep { ($_->{text} // '') =~ /schedule the slow one had its turn/ } @$history),
		1, 'one note';
};

subtest 'a reload changes schedules' => sub {
	$daemon->{sections} = section('freshness-scan', every => '1 h')
		. section('governance-sync', every => '1 h');
	$daemon->write_conf;
	$daemon->signal('HUP');
	wait_for { schedule('freshness-scan')->{rule} eq 'every 1 h' } 60, 'the new rule';
	ok !schedule('the slow one'), 'one is gone';
	ok schedule('governance-sync'), 'one is new';

	$daemon->expect_error(qr/the old settings stay: .*every = "never"/);
	$daemon->{sections} = section('freshness-scan', every => 'never');
	$daemon->write_conf;
	$daemon->signal('HUP');
	$daemon->wait_log(qr/the old settings stay/);
	is schedule('freshness-scan')->{rule}, 'every 1 h', 'a bad one changes nothing';
};

subtest 'a restart neither loses nor doubles a turn' => sub {
	$daemon->{sections} = section('governance-sync', every => '1 h');
	$daemon->write_conf;
	my $before = schedule('governance-sync')->{nextAt};
	my $count = of_type('governance-sync');
	$daemon->kill_hard;
	$daemon->start;
	is schedule('governance-sync')->{nextAt}, $before, 'the next turn is when it was';
	is scalar(of_type('governance-sync')), $count, 'and none was made up';
};

subtest 'what was missed while the daemon was down is made up for, once' => sub {
	$daemon->{sections} = section('governance-sync', every => '2 s');
	$daemon->write_conf;
	$daemon->signal('HUP');
	wait_for { schedule('governance-sync')->{rule} eq 'every 2 s' } 60, 'the new rule';
	my $due = schedule('governance-sync')->{nextAt};
	$daemon->stop;
	wait_for { my @t = gmtime(time - 6); sprintf('%04d-%02d-%02dT%02d:%02d:%02d',
		$t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0]) gt $due } 60, 'three turns to pass';
	$daemon->start;
	wait_for { of_type('governance-sync') } 60, 'one at the start';
	my @ops = of_type('governance-sync');
	ok @ops <= 2, 'not all of them at once';
};

$daemon->{sections} = '';
$daemon->write_conf;
$daemon->finish;
done_testing;
