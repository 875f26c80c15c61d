# Workers that bend the rules, many at once, and stops at bad moments: what one
# does is never another one's loss.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Frames;
use Backfilld::NullOp;
use Backfilld::Test;
use IO::Socket::UNIX;

my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => null_op_libexec(), max_workers => 60, cancel_grace_ms => 500,
});
$daemon->start;

sub trigger {
	my ($what) = @_;
	return $daemon->trigger('did-sync', did => null_op_did($what));
}

subtest 'more starts at once than descriptors may be under way' => sub {
	$daemon->set(max_workers => 1);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded/);
	my @ids = map { trigger('run') } 1 .. 50;
	$daemon->set(max_workers => 60);
	$daemon->signal('HUP');
	$daemon->wait_status($_, 'running') for @ids;
	is scalar(grep { $daemon->operation($_)->{attempt} != 1 } @ids), 0,
		'each is running in its first attempt';
	unlike $daemon->log, qr/the peer does not read/, 'the indexer was not given up';
	$daemon->ctl('cancel', $_) for @ids;
};

subtest 'a worker that says done and stays' => sub {
	my $operation = $daemon->wait_finished(trigger('done-hang'), 10);
	is $operation->{status}, 'completed', 'its result counts';
	is $operation->{recordsProcessed}, 7, 'with its numbers';
	ok $operation->{exit}{killed}, 'that it had to be killed is said';
};

subtest 'a worker that closes its channel and stays' => sub {
	my $operation = $daemon->wait_finished(trigger('close'), 10);
	is $operation->{status}, 'failed', 'it fails';
	like $operation->{error}, qr/closed its channel and did not end/, 'and it is said why';
};

subtest 'text whose limit falls into a character' => sub {
	my $id = trigger('long-text');
	my $operation = $daemon->wait_finished($id, 10);
	is $operation->{status}, 'failed', 'it fails, as it said';
	like $operation->{error}, qr/^x\x{e9}+$/, 'its text is cut between two characters';
	is $daemon->ctl('list')->{status}, 0, 'everybody can still list';
	is $daemon->ctl('show', $id, '--events')->{status}, 0, 'and show its history';
};

subtest 'a type of one\'s own writes its own tables of rows and no others' => sub {
	open my $script, '>', "$daemon->{settings}{libexec_dir}/own-rows" or die $!;
	print $script <<"SCRIPT";
#!$^X
BEGIN { \$ENV{BF_SRCDIR} = '$Backfilld::Test::SRCDIR' }
use lib '$Backfilld::Test::SRCDIR/t/lib';
use Backfilld::Frames;
use Backfilld::WriteOp;
my (\$daemon, \$indexer) = map { Backfilld::WriteOp::open_fd(\$_) } 3, 4;
\$_->send('hello', version => Backfilld::Frames::version(), program => 'own-rows',
	pid => \$\$) for \$daemon, \$indexer;
my \$table = Backfilld::WriteOp::wait_msg(\$daemon, 'assign')->{batch_size};
\$indexer->send('row_put', lane => 1, table => \$table, key => 'k', value => 'v');
\$indexer->send('row_commit', lane => 1, is_counted => 1);
my \$created = Backfilld::WriteOp::wait_msg(\$indexer, 'ack')->{created};
\$daemon->send('done', processed => 1, total => 1, created => \$created);
SCRIPT
	close $script;
	chmod 0755, "$daemon->{settings}{libexec_dir}/own-rows";
	my $write = sub {
		return $daemon->wait_finished($daemon->trigger('own-rows', batchSize => $_[0]));
	};
	is $write->($_)->{status}, 'completed', "table $_" for 128, 255;
	my $operation = $write->(1);
	is $operation->{status}, 'failed', 'table 1 is one of ours';
	like $daemon->log, qr/op $operation->{id}: closed: row_put: table 1 is not one that /,
		'and the log says why';
};

subtest 'a queued operation that is watched and cancelled' => sub {
	$daemon->set(max_workers => 1);
	$daemon->signal('HUP');
	wait_for { $daemon->ctl('status')->{json}{maxWorkers} == 1 } 10, 'the reload';
	my ($first, $second) = (trigger('run'), trigger('finish'));
	my $peer = Backfilld::Frames->new(IO::Socket::UNIX->new(Peer => $daemon->socket));
	$peer->send('hello', version => Backfilld::Frames::version(), program => 'test', pid => $$);
	$peer->receive;
	$peer->send('watch', req => 5, id => $second);
	is $peer->receive->{op}{status}, 1, 'it is queued';
	$daemon->ctl('cancel', $second);
	is $peer->receive->{op}{status}, 5, 'it is cancelled';
	is $peer->receive->{msg}, 'end_list', 'and that is the end';
	$daemon->ctl('cancel', $first);
};

subtest 'a queue of which nothing can be started' => sub {
	my $first = trigger('run');
	$daemon->wait_status($first, 'running');
	my @ids = map { trigger('finish') } 1 .. 200;
	my $libexec = $daemon->{settings}{libexec_dir};
	rename "$libexec/did-sync", "$libexec/gone" or die $!;
	$daemon->expect_error(qr/exec\(/);
	$daemon->ctl('cancel', $first);
	is $daemon->wait_finished($ids[-1])->{errorClass}, 'exec', 'the last one fails';
	is scalar(grep { $daemon->operation($_)->{status} ne 'failed' } @ids), 0, 'all fail';
	rename "$libexec/gone", "$libexec/did-sync" or die $!;
};

subtest 'a cancel that is asked for while the daemon stops' => sub {
	my $id = trigger('ignore-term');
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	$daemon->set(cancel_grace_ms => 3000);
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded.*reloaded.*reloaded.*reloaded/s);
	$daemon->signal('TERM');
	$daemon->wait_log(qr/stopping; 1 operations are running/);
	ok $daemon->ctl('cancel', $id)->{json}{success}, 'it is promised';
	wait_for { $daemon->has_ended } 20, 'the daemon to stop';
	$daemon->start;
	my $operation = $daemon->operation($id);
	is $operation->{status}, 'cancelled', 'and kept, at the next start, too';
	is $operation->{attempt}, 1, 'it did not run again';
};

subtest 'orderly stops are not counted as crashes' => sub {
	$daemon->set(max_attempts => 2);
	$daemon->stop;
	$daemon->start;
	my $id = trigger('run');
	for my $attempt (1 .. 4) {
		$daemon->wait_operation($id, sub { $_[0]{status} eq 'running'
			&& $_[0]{attempt} == $attempt }, "to run the ${attempt}th time");
		$daemon->stop;
		$daemon->start;
	}
	$daemon->wait_status($id, 'running');
	is $daemon->operation($id)->{attempt}, 5, 'it goes on each time';
	$daemon->ctl('cancel', $id);
};

subtest 'an indexer that cannot open its store' => sub {
	$daemon->stop;
	my $data = "$daemon->{dir}/state/records/data.mdb";
	rename $data, "$data.good" or die $!;
	open my $file, '>', $data or die $!;
	print $file 'x' x 16384;
	close $file;
	$daemon->expect_error(qr/backfill-indexer|records/);
	$daemon->start;
	my $id = trigger('finish');
	$daemon->wait_log(qr/backfill-indexer: process \d+ exited with status 74/);
	is $daemon->operation($id)->{status}, 'queued', 'nothing is started into it';
	rename "$data.good", $data or die $!;
	is $daemon->wait_finished($id)->{status}, 'completed', 'until it can';
};

$daemon->finish;
done_testing;
