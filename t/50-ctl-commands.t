# backfillctl as its users meet it, against a supervisor that the test scripts:
# what is asked, what is printed, what the exit status says.

use strict;
use warnings;
use Test::More;
use JSON::PP ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::FakeSupervisor;
use Backfilld::Test;

my $DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
my $ID = '3migo7fijwi2k';
my $OTHER = '3migo7fijwi2j';

my %base = (id => $ID, type => 'did-sync', did => $DID, created_ms => 1775045738708,
	started_by => 'uid 1000');
my %running = (%base, status => 2, attempt => 1, started_ms => 1775045739000,
	stage => 'fetch', records_processed => 8412, records_total => 20000,
	rate_milli => 1234500);
my %completed = (%base, status => 3, attempt => 1, started_ms => 1775045739000,
	completed_ms => 1775045755000, records_processed => 20000, records_total => 20000,
	records_created => 20000, exit_status => 1);
my %failed = (%base, status => 4, attempt => 2, started_ms => 1775045739000,
	completed_ms => 1775045740000, error_class => 'unreachable',
	error_text => "pds.example:\e[2J no route", items_failed => 7, exit_status => 257);

sub answer {
	my ($msg, $peer) = @_;
	my @req = (req => $msg->{req});
	my $asked = $msg->{msg};
	my $id = $msg->{id} // '';

	if ($asked eq 'trigger') {
		return $peer->send('error', @req, name => 'BackfillInProgress', id => $OTHER,
			text => "$msg->{type} of $msg->{did} is already running as $OTHER")
			if ($msg->{did} // '') eq 'did:web:busy.example';
		return $peer->send('error', @req, name => 'InvalidBackfillType',
			text => "$msg->{type}: there is no such type") if $msg->{pds_url};
		return $peer->send('op', @req, op => { %base, status => 1,
			did => $msg->{did}, type => 'did-sync' });
	}
	if ($asked eq 'get' || $asked eq 'watch') {
		return $peer->send('error', @req, name => 'OperationNotFound', id => $id,
			text => "there is no operation $id") if $id ne $ID && $id ne $OTHER;
		return $peer->send('op', @req, op => $id eq $ID ? \%running : \%failed)
			if $asked eq 'get';
		$peer->send('op', @req, op => { %base, status => 1 });
		$peer->send('op', @req, op => \%running);
		$peer->send('op', @req, op => $id eq $ID ? \%completed
			: { %failed, id => $OTHER });
		return $peer->send('end_list', @req);
	}
	if ($asked eq 'list') {
		my $page = $msg->{cursor} || 0;
		my @ops = grep { !$msg->{status} || $_->{status} == 4 } \%running, \%failed;
		$peer->send('op', @req, op => $ops[$page]) if $ops[$page];
		return $peer->send('end_list', @req, cursor => $page < $#ops ? $page + 1 : '');
	}
	if ($asked eq 'events') {
		$peer->send('event', @req, at_ms => 1775045738708 + $_, event => 'log',
			text => "line $_") for 1 .. 20;
		return $peer->send('end_list', @req);
	}
	if ($asked eq 'items') {
		$peer->send('item', @req, at_ms => 1775045738708, item => "did:plc:$_",
			class => 'gone', text => 'RepoNotFound') for 1 .. 7;
		return $peer->send('end_list', @req);
	}
	if ($asked eq 'cancel') {
		return $peer->send('cancelled', @req, success => $id eq $ID, status => 'cancelled',
			text => $id eq $ID ? "cancelled: $msg->{reason}" : 'it had failed before');
	}
	if ($asked eq 'status') {
		return $peer->send('daemon', @req, version => '0.1.0', pid => 4711,
			started_ms => 1775045738708, running => 2, max_workers => 4, queued => 1234,
			indexer_pid => 4712, http_address => '127.0.0.1:8590', state_dir => '/s');
	}
	return 0;
}

my $fake = Backfilld::FakeSupervisor->start(\&answer);

sub ctl {
	return Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl",
		'-s', $fake->socket, @_);
}

sub json_lines { return map { JSON::PP->new->utf8->decode($_) } split /\n/, $_[0]{out} }

subtest 'trigger prints the id, or the operation as JSON' => sub {
	my $got = ctl('trigger', 'didSync', '--did', $DID);
	is_deeply [ @$got{qw(status out err)} ], [ 0, "$ID\n", '' ], 'the id alone';
	my ($op) = json_lines(ctl('trigger', 'did-sync', '--did', $DID, '--json'));
	is $op->{status}, 'queued', 'queued';
	is $op->{params}{did}, $DID, 'with its DID';
	is $op->{triggeredBy}, 'uid 1000', 'a uid is not startedBy, which is a DID';
};

subtest 'trigger refuses what is wrong before it asks, and says what was meant' => sub {
	my $got = ctl('trigger', 'did-sync');
	is $got->{status}, 2, 'a missing parameter is a usage error';
	like $got->{err}, qr/did-sync needs the parameter did/, 'which names it';
	$got = ctl('trigger', 'did-sync', '--did', 'nonsense');
	is $got->{status}, 2, 'so is a bad DID';
	$got = ctl('trigger', 'did-snyc', '--pds-url', 'https://pds.example');
	is $got->{status}, 2, 'an unknown type is told by the daemon';
	like $got->{err}, qr/did you mean did-sync\?/, 'with a suggestion';
	$got = ctl('trigger', 'did-sync', '--did', 'did:web:busy.example');
	is $got->{status}, 1, 'one that runs already is refused';
	like $got->{err}, qr/already running as $OTHER/, 'and named';
};

subtest 'trigger --wait has the outcome as its exit status' => sub {
	my $got = ctl('trigger', 'did-sync', '--did', $DID, '--wait');
	is_deeply [ @$got{qw(status out err)} ], [ 0, "$ID\n", '' ], 'completed';
	my @ops = json_lines(ctl('trigger', 'did-sync', '--did', $DID, '--wait', '--json'));
	is_deeply [ map { $_->{status} } @ops ], ['completed'], 'JSON: the last state alone';
};

subtest 'watch tells each change and the outcome' => sub {
	my $got = ctl('watch', $ID);
	is $got->{status}, 0, 'completed';
	like $got->{out}, qr/^did-sync  $ID  $DID\nqueued\n/, 'the heading, the first state';
	like $got->{out}, qr/^running fetch 8412\/20000 42% 1234\.5\/s eta 10 s$/m, 'progress';
	like $got->{out}, qr/^completed: 20,000 records in 16 s/m, 'the outcome';
	$got = ctl('watch', $OTHER);
	is $got->{status}, 1, 'failed';
	like $got->{out}, qr/^failed after 1 s: unreachable: pds\.example:\?\[2J no route$/m,
		'and why, with nothing that steers a terminal';
	is_deeply [ map { $_->{status} } json_lines(ctl('watch', '--json', $ID)) ],
		[qw(queued running completed)], 'JSON: a document per change';
	like ctl('watch')->{out}, qr/^did-sync  $ID/, 'without an id the newest active one';
	is ctl('watch', 'nothing')->{status}, 3, 'an unknown id';
};

subtest 'watch draws one line over itself on a terminal' => sub {
	plan skip_all => 'script(1) is not installed' if !-x '/usr/bin/script';
	local $ENV{TERM} = 'xterm';
	local $ENV{LC_ALL} = 'C.UTF-8';
	my $command = "stty cols 70; $Backfilld::Test::BUILDDIR/backfillctl -s "
		. $fake->socket . " watch $ID";
	my $got = Backfilld::Test::capture('script', '-qec', $command, '/dev/null');
	is $got->{status}, 0, 'completed';
	like $got->{out}, qr/\r\e\[1mfetch\e\[0m  \e\[34m▕.*▏\e\[0m   42%.*\e\[K/, 'a bar';
	like $got->{out}, qr/\r\e\[K\e\[32mcompleted\e\[0m: /, 'gives way to the outcome';
	is scalar(() = $got->{out} =~ /\n/g), 2, 'two lines remain';
	local $ENV{NO_COLOR} = 1;
	local $ENV{LC_ALL} = 'C';
	$got = Backfilld::Test::capture('script', '-qec', $command, '/dev/null');
	like $got->{out}, qr/\rfetch  \[#+ *\]   42%/, 'NO_COLOR and a plain locale';
	unlike $got->{out}, qr/\e\[\d+m|[\x80-\xff]/, 'neither colours nor UTF-8';
};

subtest 'list is a table, or one document a line' => sub {
	my $got = ctl('list', '--limit', 1);
	is $got->{status}, 0, 'status 0';
	like $got->{out}, qr/\AID +TYPE +STATUS .*\n$ID  did-sync  running +8412 +42%  /,
		'titles and the newest';
	is scalar(() = $got->{out} =~ /\n/g), 2, 'no more than asked for';
	is scalar(my @all = json_lines(ctl('list', '--json', '--all'))), 2,
		'all pages with --all';
	is +(json_lines(ctl('list', '--json', '--status', 'failed')))[0]{error},
		"pds.example:\e[2J no route", 'JSON has texts as they are';
	is ctl('list', '--status', 'done')->{status}, 2, 'a status that is none';
	is ctl('list', '--limit', 'x')->{status}, 2, 'a limit that is none';
};

subtest 'show tells all about one' => sub {
	my $got = ctl('show', $OTHER);
	is $got->{status}, 0, 'status 0';
	like $got->{out}, qr/status +failed\n/, 'status';
	like $got->{out}, qr/attempt 2/, 'attempt';
	like $got->{out}, qr/process +exit status 1\n/, 'how the process ended';
	like $got->{out}, qr/The last 8 of 20 events .*line 13\n.*line 20\n/s, 'last events';
	unlike $got->{out}, qr/line 12\n/, 'only those';
	like $got->{out}, qr/The first 5 of 7 failed items/, 'first failed items';
	unlike ctl('show', $OTHER, '--items')->{out}, qr/The first/, 'all with --items';
	my ($op) = json_lines(ctl('show', $OTHER, '--json', '--items', '--events'));
	is scalar @{ $op->{items} }, 7, 'JSON: items';
	is_deeply $op->{items}[0], { at => '2026-04-01T12:15:38.708Z', item => 'did:plc:1',
		errorClass => 'gone', error => 'RepoNotFound' }, 'with class and error';
	is $op->{events}[19]{text}, 'line 20', 'JSON: events';
	ok !exists +(json_lines(ctl('show', $ID, '--json')))[0]{events}, 'only if asked for';
	$got = ctl('show', 'nothing');
	is_deeply [ @$got{qw(status out err)} ], [ 3, '',
		"backfillctl: show: there is no operation nothing\n" ], 'an unknown id';
};

subtest 'cancel says what happened' => sub {
	my $got = ctl('cancel', $ID, '--reason', 'wrong account');
	is $got->{status}, 0, 'cancelled';
	like $got->{out}, qr/^cancelled: wrong account \(\d+ ms\)$/, 'and how long it took';
	$got = ctl('cancel', '--json', $OTHER);
	is $got->{status}, 1, 'it had ended before';
	ok !(json_lines($got))[0]{success}, 'success is the truth';
	is ctl('cancel')->{status}, 2, 'without an id';
};

subtest 'status tells of the daemon and its processes' => sub {
	my $got = ctl('status');
	like $got->{out}, qr/^backfilld +0\.1\.0, pid 4711, up /, 'version and pid';
	like $got->{out}, qr/^operations +2 of 4 running, 1,234 queued$/m, 'operations';
	like $got->{out}, qr/^API +not running/m, 'what is not there';
	my ($status) = json_lines(ctl('status', '--json'));
	is $status->{indexerPid}, 4712, 'JSON';
};

subtest 'what is typed wrong is told with what may have been meant' => sub {
	my $got = ctl('lsit');
	is $got->{status}, 2, 'an unknown command';
	like $got->{err}, qr/^backfillctl: unknown command lsit; did you mean list\?\n/, 'said';
	is ctl('list', '--staus', 'x')->{status}, 2, 'an unknown option';
	is ctl('list', 'extra')->{status}, 2, 'an argument too many';
	is ctl()->{status}, 2, 'no command';
	is ctl('help')->{status}, 0, 'help';
	like ctl('help', 'watch')->{out}, qr/usage: backfillctl watch \[ID\]/, 'of a command';
	is ctl('watch', '--help')->{out}, ctl('help', 'watch')->{out}, 'the same by --help';
	like ctl('--version')->{out}, qr/^backfillctl \d/, 'version';
};

subtest 'without a daemon it says so' => sub {
	my @ctl = ("$Backfilld::Test::BUILDDIR/backfillctl", 'list');
	my $got = Backfilld::Test::capture(@ctl, '-s', '/nonexistent/control.sock');
	is $got->{status}, 69, 'EXIT_UNAVAILABLE';
	like $got->{err}, qr{connect\(/nonexistent/control\.sock\).*\nIs backfilld running\?},
		'and what to do';
	local $ENV{BACKFILLD_SOCKET} = $fake->socket;
	is Backfilld::Test::capture(@ctl)->{status}, 0, 'BACKFILLD_SOCKET names the socket';
};

subtest 'a reader that goes away is no error' => sub {
	my $ctl = "$Backfilld::Test::BUILDDIR/backfillctl -s " . $fake->socket;
	my $got = Backfilld::Test::capture('sh', '-c', "$ctl watch --json $ID | true");
	is $got->{err}, '', 'nothing is said';
};

subtest 'a daemon that goes away or talks nonsense is one' => sub {
	my $silent = Backfilld::FakeSupervisor->start(sub { 0 });
	my @ctl = ("$Backfilld::Test::BUILDDIR/backfillctl", '-s', $silent->socket);
	is Backfilld::Test::capture(@ctl, 'status')->{status}, 69, 'it closed the connection';
	my $strange = Backfilld::FakeSupervisor->start(sub { $_[1]->send('end_list') });
	@ctl = ("$Backfilld::Test::BUILDDIR/backfillctl", '-s', $strange->socket);
	is Backfilld::Test::capture(@ctl, 'status')->{status}, 76, 'it answered the wrong thing';
};

done_testing;
