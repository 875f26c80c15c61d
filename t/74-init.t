# What an init system is told, and what it may hand in.

use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use Socket ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;
use Backfilld::NullOp;

my $libexec = null_op_libexec();

# Receives what the daemon says; heard(PATTERN) waits for it.
package Notified {
	sub new {
		my ($class, $path) = @_;
		my $socket = IO::Socket::UNIX->new(Local => $path, Type => Socket::SOCK_DGRAM())
			or die "$path: $!";
		return bless { socket => $socket, select => IO::Select->new($socket) }, $class;
	}

	# The next message that matches, within so many seconds; nothing otherwise.
	sub heard {
		my ($self, $pattern, $seconds) = @_;
		my $deadline = time + ($seconds // 60);
		while ((my $left = $deadline - time) > 0) {
			$self->{select}->can_read($left) or return;
			$self->{socket}->recv(my $text, 4096);
			return $text if $text =~ $pattern;
		}
		return;
	}
}

subtest 'readiness, status, watchdog, reload, stop' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	my $init = Notified->new("$daemon->{dir}/notify");
	{
		local $ENV{NOTIFY_SOCKET} = "$daemon->{dir}/notify";
		local $ENV{WATCHDOG_USEC} = 1500000;
		$daemon->start;
	}
	ok $init->heard(qr/^READY=1$/m), 'READY=1';
	ok $init->heard(qr/^WATCHDOG=1$/m), 'WATCHDOG=1' for 1 .. 3;
	like $init->heard(qr/^STATUS=/m), qr/0 of 4 operations running, HTTP on 127\.0\.0\.1:/,
		'STATUS';

	$daemon->signal('HUP');
	like $init->heard(qr/^RELOADING=1$/m), qr/^MONOTONIC_USEC=\d+$/m, 'a reload';
	ok $init->heard(qr/^READY=1$/m), 'and its end';
	$daemon->ctl('upgrade');
	ok $init->heard(qr/^RELOADING=1$/m), 'an upgrade';
	ok $init->heard(qr/^READY=1$/m), 'and its end';
	ok $init->heard(qr/^WATCHDOG=1$/m), 'the watchdog goes on';

	# A loop that does not turn says nothing.
	$daemon->signal('STOP');
	1 while $init->heard(qr/./, 1);
	ok !$init->heard(qr/^WATCHDOG=1$/m, 2), 'no WATCHDOG=1 of one that hangs';
	$daemon->signal('CONT');
	ok $init->heard(qr/^WATCHDOG=1$/m), 'it is back';
	$daemon->finish;
	ok $init->heard(qr/^STOPPING=1$/m), 'STOPPING=1';
};

subtest 'a watchdog that is meant for another process is none of ours' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	my $init = Notified->new("$daemon->{dir}/notify");
	{
		local $ENV{NOTIFY_SOCKET} = "$daemon->{dir}/notify";
		local $ENV{WATCHDOG_USEC} = 300000;
		local $ENV{WATCHDOG_PID} = $$;
		$daemon->start;
	}
	ok $init->heard(qr/^STATUS=/m), 'its status is told';
	ok !$init->heard(qr/^WATCHDOG=1$/m, 2), 'no WATCHDOG=1';
	$daemon->finish;
};

subtest 'sockets that are handed in' => sub {
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	my $script = "$daemon->{dir}/activate";
	open my $file, '>', $script or die $!;
	# As an init system does it: descriptors from 3 on, and who they are for.
	print $file <<"SCRIPT";
#!$^X
use IO::Socket::INET; use IO::Socket::UNIX; use POSIX ();
my \$unix = IO::Socket::UNIX->new(Local => '$daemon->{dir}/run/control.sock', Listen => 5);
my \$http = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5);
my \@fds = map { POSIX::dup2(fileno \$_, 20 + fileno \$_) } \$unix, \$http;
POSIX::dup2(\$fds[0], 3);
POSIX::dup2(\$fds[1], 4);
POSIX::close(\$_) for 5 .. 60;
\@ENV{qw(LISTEN_PID LISTEN_FDS)} = (\$\$, 2);
exec '$Backfilld::Test::BUILDDIR/backfilld', \@ARGV;
SCRIPT
	close $file;
	chmod 0755, $script;
	$daemon->{binary} = $script;
	$daemon->start;
	is $daemon->ctl('status')->{status}, 0, 'the control socket is served';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'and the HTTP socket';
	my $given = proc_fds($daemon->pid);
	my %had = reverse %{ proc_fds($daemon->wait_child('backfill-indexer')) };
	ok !exists $had{ $given->{$_} }, "no child has descriptor $_ by accident" for 3, 4;
	is $daemon->ctl('upgrade')->{status}, 0, 'an upgrade keeps them';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'and serves them';
	$daemon->finish;
	ok -S $daemon->socket, 'the socket file is left: it is not ours';
};

done_testing;
