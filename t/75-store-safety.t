# The operations' store: checked before it is opened, backed up while it is used.

use strict;
use warnings;
use File::Copy ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();

sub slurp { open my $f, '<:raw', $_[0] or die "$_[0]: $!"; local $/; return <$f> }
sub spew { open my $f, '>:raw', $_[0] or die "$_[0]: $!"; print $f $_[1]; close $f or die $! }

subtest 'a backup is a store that can be used' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	$daemon->start;
	my $done = $daemon->trigger('did-sync', did => null_op_did('records'));
	$daemon->wait_finished($done);
	my $running = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($running, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my $to = "$daemon->{dir}/backup";
	my $answer = $daemon->ctl('backup', $to);
	is $answer->{status}, 0, 'made' or diag $answer->{err};
	ok -s "$to/operations/data.mdb" && -s "$to/records/data.mdb", 'both stores';
	is +(stat "$to/operations")[2] & 0777, 0700, 'for nobody else';
	is $daemon->operation($running)->{status}, 'running', 'the daemon goes on';

	$daemon->expect_error(qr/backup/);
	my $again = $daemon->ctl('backup', $to);
	isnt $again->{status}, 0, 'a directory that is there is refused';
	like $again->{err}, qr/is there already/, 'and why';
	my $long = $daemon->ctl('backup', '/' . 'x' x 5000);
	is $long->{status}, 2, 'a path that is too long';
	like $long->{err}, qr/path is longer than 4079 bytes: it has 5001/, 'and why';
	isnt $daemon->ctl('backup', '/proc/nowhere/backup')->{status}, 0,
		'one that cannot be made, too';
	$daemon->xrpc_post('cancelBackfill', { id => $running });
	$daemon->finish;

	my $restored = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	mkdir "$restored->{dir}/state/$_", 0700 or die $! for qw(operations records);
	File::Copy::copy("$to/$_/data.mdb", "$restored->{dir}/state/$_/data.mdb") or die $!
		for qw(operations records);
	$restored->start;
	is $restored->operation($done)->{status}, 'completed', 'what had ended is known';
	is $restored->wait_finished($running)->{status}, 'completed',
		'what ran goes on from its checkpoint';
	is scalar @{ $restored->records }, 1000, 'the records are there';
	$restored->finish;
};

subtest 'a damaged record holds up nothing' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		max_workers => 1 });
	$daemon->start;
	my %did = map { $_ => null_op_did('run') } qw(running queued);
	my $first = $daemon->trigger('did-sync', did => $did{running});
	$daemon->wait_status($first, 'running');
	my $second = $daemon->trigger('did-sync', did => $did{queued});
	my $third = $daemon->trigger('did-sync', did => null_op_did('finish'));
	$daemon->kill_hard;

	my $file = "$daemon->{dir}/state/operations/data.mdb";
	my $bytes = slurp($file);
	for my $did (values %did) {
		ok $bytes =~ s/\Q$did\E/'x' . substr $did, 1/ge, 'the record is found';
	}
	spew($file, $bytes);
	$daemon->expect_error(qr/table \w+, key/);
	$daemon->expect_error(qr/its record was damaged/);
	$daemon->start;
	is $daemon->wait_finished($third)->{status}, 'completed', 'the sound one runs';
	for my $id ($first, $second) {
		my $op = $daemon->operation($id);
		is $op->{status}, 'failed', 'a damaged one is failed';
		is $op->{errorClass}, 'damaged', 'as such';
	}
	my $again = $daemon->trigger('did-sync', did => $did{queued});
	$daemon->wait_status($again, 'running');
	pass 'and can be triggered again';
	$daemon->xrpc_post('cancelBackfill', { id => $again });
	$daemon->finish;
};

subtest 'a damaged checkpoint fails its operation, for that reason' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	$daemon->start;
	my $id = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	$daemon->kill_hard;

	my $file = "$daemon->{dir}/state/operations/data.mdb";
	my $bytes = slurp($file);
	ok $bytes =~ s/here/hurt/g, 'the checkpoint is found';
	spew($file, $bytes);
	$daemon->expect_error(qr/table checkpoint, key/);
	$daemon->start;
	my $op = $daemon->wait_finished($id);
	is $op->{status}, 'failed', 'failed';
	is $op->{errorClass}, 'damaged', 'not for what its worker did';
	like $op->{error}, qr/what it was to do cannot be read: .*table checkpoint/,
		'with what cannot be read';
	my $again = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($again)->{status}, 'completed', 'others go on';
	$daemon->finish;
};

# LMDB reads through a map of the file: what is written to that is seen at once.
subtest 'a record that is damaged while it runs takes nobody else along' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		max_workers => 4 });
	$daemon->start;
	my $did = null_op_did('run');
	my $damaged = $daemon->trigger('did-sync', did => $did);
	$daemon->wait_operation($damaged, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my $file = "$daemon->{dir}/state/operations/data.mdb";
	my $bytes = slurp($file);
	open my $to, '+<:raw', $file or die "$file: $!";
	while ($bytes =~ /\Q$did\E/g) {
		seek $to, $-[0], 0 or die $!;
		print $to 'x';
	}
	close $to or die $!;
	$daemon->expect_error(qr/table op, key \w+: wrong checksum/);
	$daemon->expect_error(qr/its record was damaged/);

	my $sound = $daemon->trigger('did-sync', did => null_op_did('grandchild'));
	$daemon->wait_operation($sound, sub { $_[0]{recordsProcessed} > 10 },
		'to tell its progress');
	my @lines = grep { $_->{event} eq 'log' }
		@{ $daemon->ctl('show', $sound, '--events')->{json}{events} };
	is scalar @lines, 1, 'what it says is written once';

	isnt $daemon->ctl('cancel', $damaged)->{status}, 0, 'the damaged one can be stopped';
	my $op = $daemon->operation($damaged);
	is $op->{status}, 'failed', 'and is failed';
	is $op->{errorClass}, 'damaged', 'as what it is';
	$daemon->xrpc_post('cancelBackfill', { id => $sound });
	$daemon->finish;
};

subtest 'a store that cannot be read is refused, and not touched' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	$daemon->start;
	$daemon->wait_finished($daemon->trigger('did-sync', did => null_op_did('finish')))
		for 1 .. 5;
	$daemon->stop;
	my $file = "$daemon->{dir}/state/operations/data.mdb";
	my $good = slurp($file);
	my %cases = (
		'cut in half' => substr($good, 0, length($good) / 2),
		'without its first pages' => ("\0" x 8192) . substr($good, 8192),
	);
	for my $what (sort keys %cases) {
		spew($file, $cases{$what});
		my $result = $daemon->run_backfilld('-c', $daemon->{conf});
		is $result->{status}, 74, "$what: exit status 74";
		like $result->{out} . $result->{err}, qr/operations is damaged.*put a backup/,
			'with what to do';
		ok slurp($file) eq $cases{$what}, 'the file is as it was';
	}
	spew($file, $good);
	$daemon->start;
	is scalar @{ $daemon->xrpc_get('getBackfillStatus')->{json}{operations} }, 5,
		'the good one is fine';
	$daemon->finish;
};

subtest 'the API, which the network talks to, can ask for neither' => sub {
	my $own = null_op_libexec();
	my $lib = "$Backfilld::Test::SRCDIR/t/lib";

	unlink "$own/backfill-api" or die $!;
	spew("$own/backfill-api", <<"PERL");
#!$^X
use lib '$lib';
BEGIN { \$ENV{BF_SRCDIR} = '$Backfilld::Test::SRCDIR' }
use Backfilld::Frames;
open my \$socket, '+<&=', 3 or die;
my \$peer = Backfilld::Frames->new(\$socket);
\$peer->send('hello', version => Backfilld::Frames::version(), pid => \$\$);
\$peer->send('backup', req => 7, dir => "/nowhere/stolen");
\$peer->send('upgrade', req => 8);
while (my \$msg = \$peer->receive) {
	print STDERR "answer \$msg->{req}: \$msg->{msg}\\n" if \$msg->{req};
}
PERL
	chmod 0755, "$own/backfill-api" or die $!;
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $own });
	$daemon->{pid} = Backfilld::Process::spawn(["$Backfilld::Test::BUILDDIR/backfilld",
		'-c', $daemon->{conf}], stdout => $daemon->{log}, stderr => $daemon->{log});
	$daemon->wait_log(qr/answer 8: error/);
	like $daemon->log, qr/answer 7: error/, 'no backup';
	unlike $daemon->log, qr/takes over/, 'and no other daemon';
	$daemon->stop;
};

done_testing;
