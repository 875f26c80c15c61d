# F26: the examples of etc/ under the init systems that they are for, without one that
# waits for READY=1: runit, s6, sysvinit.  Paths and users of the examples become those of
# the test; nothing else is changed.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $build = $Backfilld::Test::BUILDDIR;
my $etc = "$Backfilld::Test::SRCDIR/etc";
my $libexec = null_op_libexec();
plan skip_all => 'this needs root, as an init system is' if $> != 0;

sub has_all { return !grep { my $p = $_; !grep { -x "$_/$p" } split /:/, $ENV{PATH} } @_ }

sub daemon {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	mkdir $daemon->dir . '/bin' or die $!;
	symlink "$build/$_", $daemon->dir . "/bin/$_" or die $! for qw(backfilld backfillctl);
	return $daemon;
}

# An example, for this daemon.
sub install {
	my ($daemon, $from, $to) = @_;
	my $dir = $daemon->dir;
	open my $in, '<', "$etc/$from" or die "$etc/$from: $!";
	local $/;
	my $text = <$in>;
	$text =~ s{^PATH=.*}{PATH=$dir/bin:$ENV{PATH}}m;
	$text =~ s{/etc/backfilld\.conf}{$daemon->{conf}}g;
	$text =~ s{/run/backfilld\.pid}{$dir/pid}g;
	$text =~ s{/var/lib/backfilld}{$dir/state}g;
	$text =~ s{/run/backfilld}{$dir/run}g;
	$text =~ s{/var/log/backfilld}{$dir/logs}g;
	$text =~ s{/etc/default/backfilld}{$dir/default}g;
	$text =~ s{backfilld:backfilld}{root:root}g;
	$text =~ s{-o backfilld -g backfilld}{-o root -g root}g;
	$text =~ s{s6-setuidgid backfilld}{s6-setuidgid root}g;
	$text =~ s{^RUN_AS=backfilld}{RUN_AS=root}m;
	unlike $text, qr{\s/(etc|var|run)/backfilld}, 'nothing of the machine is left in it';
	open my $out, '>', $to or die "$to: $!";
	print $out $text;
	close $out;
	chmod 0755, $to or die $!;
}

# The process that has the daemon's lock; also known to the test then.
sub find_daemon {
	my ($daemon, $not) = @_;
	wait_for {
		open my $file, '<', $daemon->dir . '/state/lock' or return 0;
		my ($pid) = (<$file> // '') =~ /^(\d+)/ or return 0;
		return 0 if !is_alive($pid) || $pid == ($not // 0);
		$daemon->{found} = $pid;
		$daemon->{address} = $daemon->http_address or return 0;
		eval { $daemon->get('/xrpc/_health')->{status} == 200 }
	} 60, 'the daemon to run';
	return $daemon->{found};
}

sub is_gone {
	my ($daemon) = @_;
	wait_for { !is_alive($daemon->{found}) } 60, 'the daemon to stop';
	ok !-e $daemon->socket, 'in order: no socket is left';
}

sub supervisor {
	my ($daemon, @argv) = @_;
	local $ENV{PATH} = $daemon->dir . "/bin:$ENV{PATH}";
	delete local $ENV{NOTIFY_SOCKET};
	return Backfilld::Process::spawn(\@argv, stdout => $daemon->{log},
		stderr => $daemon->{log});
}

# What any of them has to see: it starts, is killed and started again and goes on,
# reloads, stops and stays so.
sub lives_under {
	my ($daemon, %tell) = @_;
	my $pid = find_daemon($daemon);
	my $id = $daemon->trigger('did-sync', did => null_op_did('checkpoint'));
	$daemon->wait_operation($id, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	$daemon->set(max_workers => 7);
	$tell{reload}->();
	wait_for { ($daemon->ctl('status')->{json} || {})->{maxWorkers} == 7 } 60, 'a reload';
	is find_daemon($daemon), $pid, 'it is the same process';
	if ($tell{restarts}) {
		unlink $daemon->dir . '/run/http.address';	# the old API answers for a while
		my @old = proc_children($pid, 'backfill-api');
		kill 'KILL', $pid;
		isnt find_daemon($daemon, $pid), $pid, 'one that dies is started again';
		is $daemon->wait_finished($id)->{status}, 'completed', 'and goes on';
		# It has the log of the service open, too.
		wait_for { !grep { is_alive($_) } @old } 60, 'the old API to make room';
	}
	$tell{stop}->();
	is_gone($daemon);
}

sub end_supervisor {
	my ($pid) = @_;
	wait_for { waitpid($pid, POSIX::WNOHANG()) != 0 } 60, 'it to exit';
	Backfilld::Process::forget_group($pid);
}

sub log_of {
	my ($daemon) = @_;
	open my $file, '<', $daemon->dir . '/logs/current' or return '';
	local $/;
	return <$file> // '';
}

subtest 'F26: runit' => sub {
	plan skip_all => 'runit is not installed' unless has_all(qw(runsv chpst svlogd));
	my $daemon = daemon();
	my $service = $daemon->dir . '/sv';
	mkdir $_ or die $! for $service, "$service/log";
	install($daemon, 'runit/run', "$service/run");
	install($daemon, 'runit/log/run', "$service/log/run");
	my $runsv = supervisor($daemon, 'runsv', $service);
	my $tell = sub {
		open my $control, '>', "$service/supervise/control" or die $!;
		print $control $_[0];
	};
	lives_under($daemon, restarts => 1, reload => sub { $tell->('h') },
		stop => sub { $tell->('d') });
	like log_of($daemon), qr/<6>backfilld: ready/, 'its log went through svlogd';
	$tell->('x');
	end_supervisor($runsv);
	$daemon->{is_finished} = 1;
};

subtest 'F26: s6' => sub {
	plan skip_all => 's6 is not installed'
		unless has_all(qw(s6-supervise s6-svc execlineb s6-setuidgid s6-softlimit));
	my $daemon = daemon();
	my $service = $daemon->dir . '/s6';
	mkdir $service or die $!;
	install($daemon, 's6/run', "$service/run");
	my $s6 = supervisor($daemon, 's6-supervise', $service);
	my $tell = sub { system('s6-svc', $_[0], $service) == 0 or die "s6-svc $_[0]: $?" };
	lives_under($daemon, restarts => 1, reload => sub { $tell->('-h') },
		stop => sub { $tell->('-d') });
	like $daemon->log, qr/<6>backfilld: ready/, 'its log goes where s6-log would take it';
	$tell->('-x');
	end_supervisor($s6);
	$daemon->{is_finished} = 1;
};

subtest 'F26: sysvinit' => sub {
	plan skip_all => 'start-stop-daemon or the LSB functions are not installed'
		unless has_all(qw(start-stop-daemon logger bash)) && -e '/lib/lsb/init-functions';
	my $daemon = daemon();
	my $script = $daemon->dir . '/init';
	install($daemon, 'sysvinit/backfilld', $script);
	my $run = sub { return Backfilld::Test::capture($script, $_[0]) };
	is $run->('start')->{status}, 0, 'start';
	my $pid = find_daemon($daemon);
	is $run->('status')->{status}, 0, 'status';
	lives_under($daemon, restarts => 0, reload => sub { $run->('reload') },
		stop => sub { $run->('stop') });
	isnt $run->('status')->{status}, 0, 'status says that it is not there';
	open my $conf, '>>', $daemon->{conf} or die $!;
	print $conf "no_such_setting = 1\n";
	close $conf;
	isnt $run->('start')->{status}, 0, 'it is not started with a wrong configuration';
	$daemon->{is_finished} = 1;
};

done_testing;
