# F56: directories and stores that are not ours to use, or cannot be written.

use strict;
use warnings;
use File::Find ();
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $build = $Backfilld::Test::BUILDDIR;
my $libexec = null_op_libexec();

# root meets no modes, and only root can be another user or mount anything.
plan skip_all => 'this needs root' if $> != 0;
my $has_namespace = system('unshare -m true 2>/dev/null') == 0;
my ($nobody, $nogroup) = (getpwnam 'nobody')[2, 3];
plan skip_all => 'the user nobody cannot come to the build directory'
	if system('setpriv', "--reuid=$nobody", "--regid=$nogroup", '--clear-groups',
		'test', '-x', "$build/backfilld") != 0;
chmod 0755, $libexec;

sub daemon { return Backfilld::Test->new(settings => { libexec_dir => $libexec, @_ }) }

sub slurp { open my $f, '<:raw', $_[0] or die "$_[0]: $!"; local $/; return <$f> }

# A state directory that a daemon has used and left.
sub used_daemon {
	my $daemon = daemon();
	$daemon->start;
	my $id = $daemon->trigger('did-sync', did => null_op_did('records'));
	is $daemon->wait_finished($id)->{status}, 'completed', 'an operation';
	$daemon->stop;
	return ($daemon, $id);
}

sub run_as_nobody {
	my ($daemon, @argv) = @_;
	return Backfilld::Test::capture('setpriv', "--reuid=$nobody", "--regid=$nogroup",
		'--clear-groups', @argv, '-c', $daemon->{conf});
}

sub give_away {
	my ($daemon) = @_;
	File::Find::find(sub { chown $nobody, $nogroup, $_ }, $daemon->dir);
}

sub is_refused {
	my ($result, $pattern, $what) = @_;
	is $result->{status}, 77, "$what: exit status 77"
		or diag $result->{out}, $result->{err};
	like $result->{err}, $pattern, 'and which it is';
	unlike $result->{err}, qr/damaged|put a backup/, 'nobody is sent for a backup';
}

subtest 'F56: a file system that cannot be written' => sub {
	plan skip_all => 'no mount namespace can be had' unless $has_namespace;
	my ($daemon, $id) = used_daemon();
	my $dir = $daemon->dir;
	my $before = slurp("$dir/state/operations/data.mdb");
	for my $what (qw(state run)) {
		my $result = Backfilld::Test::capture('unshare', '-m', 'sh', '-c',
			"mount --bind '$dir/$what' '$dir/$what' && "
			. "mount -o remount,bind,ro '$dir/$what' && "
			. "! touch '$dir/$what/probe' 2>/dev/null && "
			. "exec '$build/backfilld' -c '$daemon->{conf}'");
		is_refused($result, qr{$dir/$what.*: Read-only file system}, $what);
	}
	ok slurp("$dir/state/operations/data.mdb") eq $before, 'nothing was written';
	$daemon->start;
	is $daemon->operation($id)->{status}, 'completed', 'later all is there';
	$daemon->finish;
};

subtest 'F56: the wrong owner' => sub {
	my ($daemon, $id) = used_daemon();
	my $dir = $daemon->dir;
	my $store = "$dir/state/operations";
	give_away($daemon);
	for my $path ("$dir/state", "$dir/run", "$store/data.mdb", "$store/lock.mdb",
			"$dir/state/lock") {
		chown 0, 0, $path or die "$path: $!";
		chmod -d $path ? 0700 : 0600, $path;
		is_refused(run_as_nobody($daemon, "$build/backfilld"),
			qr/\Q$dir\E.*Permission denied/, $path =~ s{^\Q$dir\E/}{}r);
		chown $nobody, $nogroup, $path or die "$path: $!";
	}
	chmod 0, "$store/data.mdb";
	is_refused(run_as_nobody($daemon, "$build/backfilld"), qr/\Q$store\E.*Permission denied/,
		'a mode that lets nobody in');
	chmod 0600, "$store/data.mdb";
	$daemon->start;
	is $daemon->operation($id)->{status}, 'completed', 'later all is there';
	$daemon->finish;
};

subtest 'F56: an index that is not ours is no reason to spin' => sub {
	my ($daemon, $id) = used_daemon();
	my $index = $daemon->dir . '/state/records/data.mdb';
	$daemon->expect_error(qr/backfill-indexer|Permission denied|index/);
	give_away($daemon);
	chown 0, 0, $index or die $!;
	$daemon->{pid} = Backfilld::Process::spawn([ 'setpriv', "--reuid=$nobody",
		"--regid=$nogroup", '--clear-groups', "$build/backfilld", '-c',
		$daemon->{conf} ], stdout => $daemon->{log}, stderr => $daemon->{log});
	$daemon->wait_log(qr/process \d+ exited with status 77; starting it again in 800 ms/);
	like $daemon->log, qr/records.*Permission denied/, 'why is told';
	my $starts = () = $daemon->log =~ /backfill-indexer: started/g;
	cmp_ok $starts, '<=', 5, 'it is tried with a growing pause';
	wait_for { $daemon->{address} = $daemon->http_address
		and $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'the API';
	is $daemon->operation($id)->{status}, 'completed', 'reads work';
	my $waits = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->operation($waits)->{status}, 'queued', 'what is triggered waits';
	chown $nobody, $nogroup, $index or die $!;
	is $daemon->wait_finished($waits)->{status}, 'completed', 'until the index is ours';
	$daemon->finish;
};

done_testing;
