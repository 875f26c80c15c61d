# F31: standard error is a pipe, and who reads it stops, or goes away.

use strict;
use warnings;
use Fcntl;
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

use constant F_SETPIPE_SZ => 1031;

my $libexec = null_op_libexec();

# A daemon whose log goes into a small pipe; its end is read by this test, or not.
sub start_with_pipe {
	my ($daemon) = @_;
	my $path = $daemon->dir . '/stderr';
	POSIX::mkfifo($path, 0600) or die "$path: $!";
	sysopen my $reader, $path, O_RDONLY | O_NONBLOCK or die "$path: $!";
	fcntl $reader, F_SETPIPE_SZ, 8192 or die "F_SETPIPE_SZ: $!";
	$daemon->{log} = $path;
	$daemon->{pid} = Backfilld::Process::spawn(
		[ "$Backfilld::Test::BUILDDIR/backfilld", '-c', $daemon->{conf} ],
		stdout => '/dev/null', stderr => $path);
	wait_for { $daemon->{address} = $daemon->http_address
		and $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'it to start';
	return $reader;
}

sub read_all {
	my ($reader) = @_;
	my $text = '';
	while (sysread $reader, my $part, 65536) {
		$text .= $part;
	}
	return $text;
}

sub does_its_work {
	my ($daemon) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($id)->{status}, 'completed', 'an operation is done';
	my $chatter = $daemon->trigger('did-sync', did => null_op_did('chatter'));
	$daemon->wait_operation($chatter, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my $asked = Time::HiRes::time();
	is $daemon->ctl('cancel', $chatter)->{status}, 0, 'one that logs 2 MB is cancelled';
	cmp_ok Time::HiRes::time() - $asked, '<', 20, 'as quickly as always';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'the API answers';
	return ($id, $chatter);
}

sub ends {
	my ($daemon) = @_;
	my $group = $daemon->pid;
	$daemon->signal('TERM');
	wait_for { $daemon->has_ended } 30, 'it to end';
	is $daemon->{exit}, 0, 'it ends cleanly';
	wait_for { !Backfilld::Process::proc_group($group) } 30, 'its children to end';
	Backfilld::Process::forget_group($group);
	$daemon->{log} = '/dev/null';
	$daemon->{is_finished} = 1;
}

sub settings {
	return settings => { libexec_dir => $libexec, log_level => 'debug',
		service_timeout_ms => 3000, worker_timeout_ms => 3000 };
}

subtest 'F31: who reads the log has stopped' => sub {
	my $daemon = Backfilld::Test->new(settings());
	my $reader = start_with_pipe($daemon);
	my @ids = map { does_its_work($daemon) } 1 .. 3;
	my @ends = map { $daemon->wait_finished($_)->{status} } @ids;
	is_deeply \@ends, [ (qw(completed cancelled)) x 3 ], 'each has ended as it should';

	my $held = read_all($reader);
	cmp_ok length $held, '>', 4000, 'the pipe was full';
	like $held, qr/\n\z/, 'of whole lines';
	my $text = '';
	wait_for {
		$daemon->ctl('status');
		$daemon->xrpc_post('cancelBackfill',
			{ id => $daemon->trigger('did-sync', did => null_op_did('finish')) });
		$text .= read_all($reader);
		$text =~ /<4>backfilld: \d+ log lines were dropped/;
	} 60, 'the number of lines that were lost';
	my ($dropped) = $text =~ /<4>backfilld: (\d+) log lines were dropped/;
	cmp_ok $dropped, '>', 0, 'it is told';
	ends($daemon);
};

subtest 'F31: who reads the log has gone' => sub {
	my $daemon = Backfilld::Test->new(settings());
	my $reader = start_with_pipe($daemon);
	my $api = $daemon->wait_child('backfill-api');
	my $running = $daemon->trigger('did-sync', did => null_op_did('run'));
	$daemon->wait_operation($running, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	close $reader;
	does_its_work($daemon);
	is $daemon->wait_child('backfill-api'), $api, 'nobody dies of SIGPIPE';
	is $daemon->operation($running)->{attempt}, 1, 'no worker, either';
	is $daemon->operation($running)->{status}, 'running', 'which runs';
	$daemon->signal('HUP');
	is $daemon->ctl('upgrade')->{status}, 0, 'not even an upgrade needs it';
	does_its_work($daemon);
	ends($daemon);
};

done_testing;
