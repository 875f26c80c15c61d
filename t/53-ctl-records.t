# `backfillctl records` and `repos` show what a worker had the indexer write.

use strict;
use warnings;
use Test::More;
use Digest::SHA ();
use File::Temp ();
use JSON::PP ();
use MIME::Base64 ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Prometheus;
use Backfilld::Test;

my $srcdir = $Backfilld::Test::SRCDIR;
my $libexec = File::Temp->newdir;
my @DIDS = map { 'did:plc:' . $_ x 24 } qw(a b);
my $DAMAGED = 'did:plc:' . 'c' x 24;

# A worker that writes two repositories: fd 4 as docs/protocol.md tells it.
# $ruin is put behind each record, which should be nothing.
sub write_worker {
	my ($name, $ruin, @dids) = @_;
	open my $script, '>', "$libexec/$name" or die "$libexec/$name: $!";
	print $script "#!$^X\n", <<"HEAD", <<'BODY';
BEGIN { \$ENV{BF_SRCDIR} = '$srcdir' }
use lib '$srcdir/t/lib';
my (\$ruin, \@dids) = ('$ruin', qw(@dids));
HEAD
use Backfilld::Frames;
use Digest::SHA;

sub open_fd { open my $fd, '+<&=', $_[0] or die "fd $_[0]: $!"; Backfilld::Frames->new($fd) }
sub wait_msg { my ($peer, $name) = @_; while (1) { my $m = $peer->receive or exit 69;
	return $m if $m->{msg} eq $name } }

my ($daemon, $indexer) = map { open_fd($_) } 3, 4;
$_->send('hello', version => Backfilld::Frames::version(), program => 'write-op', pid => $$) for $daemon, $indexer;
wait_msg($daemon, 'assign');
my $cid = "\x01\x71\x12\x20" . 'x' x 32;
for my $did (@dids) {
	$indexer->send('begin', lane => 1, did => $did);
	wait_msg($indexer, 'state');
	for my $path (map { ("app.bsky.feed.post/3k$_", "pub.chive.eprint.one/3k$_") } 1 .. 3) {
		my $n = length $path;		# {"text": path} in DAG-CBOR
		my $record = "\xa1\x64text" . ($n < 24 ? chr(0x60 | $n) : "\x78" . chr $n) . $path
			. $ruin;
		$indexer->send('put', lane => 1, path => $path, record => $record,
			cid => "\x01\x71\x12\x20" . Digest::SHA::sha256($record));
	}
	$indexer->send('commit', lane => 1, pds_url => 'https://pds.example', rev => '3migo7fijwi2k',
		commit_cid => $cid, data_cid => $cid, status => 'active');
	wait_msg($indexer, 'ack');
}
$daemon->send('done', processed => 12, total => 12, created => 12);
BODY
	chmod 0755, $script;
	close $script;
}

# One that writes rows: what struct host_row, cursor_row and identity_row say.
sub field { my ($number, $content) = @_; return pack 'Cn/a*', $number, $content }
my %ROWS = (
	1 => [ 'https://pds.example', field(2, "\1") . field(3, pack 'N', 1_700_000_000)
		. field(5, "\7") . field(8, "\2") . field(10, 'refused') ],
	2 => [ 'did:plc:abc', field(2, 'https://pds.example') . field(4, 'a.example')
		. field(5, "\2") ],
	3 => [ 'relay https://relay.example', field(1, pack 'n', 4711) ],
);
sub write_row_worker {
	my ($name, %rows) = @_;
	open my $script, '>', "$libexec/$name" or die "$libexec/$name: $!";
	print $script "#!$^X\n", "BEGIN { \$ENV{BF_SRCDIR} = '$srcdir' }\n",
		"use lib '$srcdir/t/lib';\nuse Backfilld::Frames;\nmy %rows = (",
		join(', ', map { "$_ => ['$rows{$_}[0]', '" . unpack('H*', $rows{$_}[1]) . "']" }
			sort keys %rows), ");\n", <<'BODY';
sub open_fd { open my $fd, '+<&=', $_[0] or die "fd $_[0]: $!"; Backfilld::Frames->new($fd) }
sub wait_msg { my ($peer, $name) = @_; while (1) { my $m = $peer->receive or exit 69;
	return $m if $m->{msg} eq $name } }

my ($daemon, $indexer) = map { open_fd($_) } 3, 4;
$_->send('hello', version => Backfilld::Frames::version(), pid => $$) for $daemon, $indexer;
wait_msg($daemon, 'assign');
$indexer->send('row_put', lane => 1, table => $_, key => $rows{$_}[0],
	value => pack 'H*', $rows{$_}[1]) for keys %rows;
$indexer->send('row_commit', lane => 1);
wait_msg($indexer, 'ack');
$daemon->send('done', processed => 3, total => 3);
BODY
	chmod 0755, $script;
	close $script;
}

# Under the names of types that may write such rows.
write_row_worker('full-sync', %ROWS);
# 0.25 requests/s, parked until 2039.
write_row_worker('freshness-scan', 1 => [ 'https://slow.example', field(6, "\372")
	. field(8, "\7") . field(9, "\2\0\0\0\0\0") ]);
write_row_worker('catch-up', 3 => [ 'relay https://other.example', "\1\0\11x" ]);
write_worker('write-op', '', @DIDS);
write_worker('ruin-op', 'x', $DAMAGED);
symlink "$Backfilld::Test::BUILDDIR/$_", "$libexec/$_" for qw(backfill-indexer backfill-resolver backfill-api);
my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec" });
$daemon->start;

is scalar @{ $daemon->ctl('records')->{lines} }, 0, 'an empty index has no records';
is $daemon->ctl('records', '--did', $DIDS[0])->{status}, 3, 'and knows no repository';
is $daemon->ctl('trigger', 'write-op', '--wait')->{status}, 0, 'a worker writes some';

subtest 'records' => sub {
	my $lines = $daemon->ctl('records')->{lines};
	is scalar @$lines, 12, 'all of them';
	is_deeply [ sort keys %{ $lines->[0] } ], [qw(cid uri value)], 'uri, cid and value';
	my ($one) = grep { $_->{uri} eq "at://$DIDS[1]/app.bsky.feed.post/3k2" } @$lines;
	is_deeply $one->{value}, { text => 'app.bsky.feed.post/3k2' }, 'the value';
	like $one->{cid}, qr/^bafyrei[a-z2-7]{52}$/, 'the CID as text';
	$lines = $daemon->ctl('records', '--did', $DIDS[0])->{lines};
	is scalar(grep { $_->{uri} =~ /^at:\/\/$DIDS[0]\// } @$lines), 6, 'of one repository';
	is scalar @{ $daemon->ctl('records', '--collection', 'pub.chive.*')->{lines} }, 6,
		'of some collections';
	is scalar @{ $daemon->ctl('records', '--did', $DIDS[0], '--collection',
		'app.bsky.feed.post')->{lines} }, 3, 'of one collection of one repository';
	is $daemon->ctl('records', '--did', 'did:plc:nobody')->{status}, 3, 'an unknown DID';
	is $daemon->ctl('records', '--collection', 'a b')->{status}, 2, 'no collection at all';
};

subtest 'records --count' => sub {
	is_deeply $daemon->ctl('records', '--count')->{lines}, [
		{ collection => 'app.bsky.feed.post', records => 6 },
		{ collection => 'pub.chive.eprint.one', records => 6 } ], 'each collection';
	my $got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl", '-s',
		$daemon->socket, 'records', '--count', '--did', $DIDS[0]);
	is $got->{out}, <<'TABLE', 'as a table';
COLLECTION            RECORDS
app.bsky.feed.post          3
pub.chive.eprint.one        3
TABLE
};

subtest 'repos' => sub {
	my $lines = $daemon->ctl('repos')->{lines};
	is_deeply [ map { $_->{did} } @$lines ], \@DIDS, 'both';
	is $lines->[0]{records}, 6, 'their records';
	is $lines->[0]{rev}, '3migo7fijwi2k', 'their revision';
	is $lines->[0]{pdsUrl}, 'https://pds.example', 'their server';
	like $lines->[0]{syncedAt}, qr/^\d{4}-.*Z$/, 'when they were synced';
	is $lines->[0]{checkedAt}, $lines->[0]{syncedAt}, 'which is when they were checked';
	is scalar @{ $daemon->ctl('repos', '--did', $DIDS[1])->{lines} }, 1, 'one';
	is $daemon->ctl('repos', '--did', 'did:plc:nobody')->{status}, 3, 'an unknown DID';
};

subtest 'index' => sub {
	is scalar @{ $daemon->ctl('index', 'hosts')->{lines} }, 0, 'nothing at first';
	is $daemon->ctl('trigger', 'full-sync', '--wait')->{status}, 0, 'a worker writes rows';
	my $host = $daemon->ctl('index', 'hosts')->{lines}[0];
	is_deeply [ @$host{qw(origin source repos failures state lastError)} ],
		[ 'https://pds.example', 'document', 7, 2, 'ok', 'refused' ], 'a server';
	like $host->{listedAt}, qr/^\d{4}-.*Z$/, 'when its list was read';
	my $metrics = Backfilld::Prometheus->parse($daemon->get('/metrics')->{content});
	is $metrics->value('backfilld_hosts', state => 'ok'), 1, '/metrics counts it';
	is $metrics->value('backfilld_hosts', state => 'parked'), 0, 'as not parked';
	is $metrics->value('backfilld_hosts_failing'), 1, 'as failing';
	is $metrics->value('backfilld_hosts_slowed'), 0, 'as asked at the usual rate';
	ok !$metrics->has('backfilld_hosts_lowest_rate'), 'so none is the slowest';
	is $metrics->value('backfilld_index_records'), 12, 'and records';
	is $metrics->value('backfilld_index_repositories'), 2, 'and repositories';
	my $identity = $daemon->ctl('index', 'identities')->{lines}[0];
	is_deeply [ @$identity{qw(did status handle pdsUrl)} ],
		[ 'did:plc:abc', 'tombstoned', 'a.example', 'https://pds.example' ], 'an identity';
	is_deeply $daemon->ctl('index', 'cursors')->{lines},
		[ { service => 'relay https://relay.example', seq => 4711 } ], 'a cursor';
	is scalar @{ $daemon->ctl('index', 'hosts', '--prefix', 'https://x')->{lines} }, 0,
		'--prefix';
	is $daemon->ctl('trigger', 'freshness-scan', '--wait')->{status}, 0, 'another server';
	$metrics = Backfilld::Prometheus->parse($daemon->get('/metrics')->{content});
	is $metrics->value('backfilld_hosts', state => 'parked'), 1, 'which is parked';
	is $metrics->value('backfilld_hosts_slowed'), 1, 'and slowed';
	is $metrics->value('backfilld_hosts_lowest_rate'), 0.25, 'to this rate';
	is $daemon->ctl('index', 'things')->{status}, 2, 'no such table';
	is $daemon->ctl('index')->{status}, 2, 'no table at all';
	my $got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl", '-s',
		$daemon->socket, 'index', 'cursors');
	is $got->{out}, <<'TABLE', 'as a table';
SERVICE                       SEQ  EVENT  SAVED
relay https://relay.example  4711  never  never
TABLE

	is $daemon->ctl('trigger', 'catch-up', '--wait')->{status}, 0, 'one that is none';
	$got = $daemon->ctl('index', 'cursors');
	is $got->{status}, 74, 'EXIT_STORE';
	is scalar @{ $got->{lines} }, 1, 'the other is printed';
};

subtest 'a damaged record is left out and told' => sub {
	is $daemon->ctl('trigger', 'ruin-op', '--wait')->{status}, 0, 'some are not DAG-CBOR';
	my $got = $daemon->ctl('records');
	is $got->{status}, 74, 'EXIT_STORE';
	is scalar @{ $got->{lines} }, 12, 'the others are printed';
	like $got->{err}, qr/^backfillctl: records: 6 records are damaged/, 'how many';
};

subtest 'the supervisor names the processes' => sub {
	my $status = $daemon->ctl('status')->{json};
	is $status->{pid}, $daemon->pid, 'its own';
	is $status->{indexerPid}, $daemon->wait_child('backfill-indexer'), 'the indexer';
	is "http://$status->{httpAddress}", $daemon->url, 'its address';
};

$daemon->finish;
done_testing;
