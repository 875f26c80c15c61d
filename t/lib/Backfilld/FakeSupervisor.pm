package Backfilld::FakeSupervisor;

# A control socket that answers as the test says, for tests of clients.
#
#	my $fake = Backfilld::FakeSupervisor->start(sub {
#		my ($msg, $peer) = @_;		# what was asked, a Backfilld::Frames
#		$peer->send('daemon', req => $msg->{req}, version => '1.0');
#	});
#	... $fake->socket ...
#
# Each connection is a process of its own, so a handler keeps no state between
# connections.  It may return 0 to close the connection.

use strict;
use warnings;
use File::Temp ();
use IO::Socket::UNIX;
use POSIX ();

use Backfilld::Frames;
use Backfilld::Process ();

sub start {
	my ($class, $handler) = @_;
	my $dir = File::Temp->newdir;
	my $listen = IO::Socket::UNIX->new(Local => "$dir/control.sock", Listen => 8)
		or die "$dir/control.sock: $!";
	my $pid = Backfilld::Process::fork_group(sub { serve($listen, $handler) });

	return bless { dir => $dir, pid => $pid }, $class;
}

sub socket { return "$_[0]{dir}/control.sock" }

sub serve {
	my ($listen, $handler) = @_;
	local $SIG{CHLD} = 'IGNORE';
	while (1) {
		my $socket = $listen->accept or next;
		my $pid = fork() // die "fork: $!";
		if ($pid == 0) {
			converse(Backfilld::Frames->new($socket), $handler);
			POSIX::_exit(0);
		}
	}
}

sub converse {
	my ($peer, $handler) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (my $msg = $peer->receive) {
		if ($msg->{msg} eq 'hello') {
			$peer->send('hello', version => $msg->{version}, program => 'backfilld',
				pid => $$);
			next;
		}
		return if !$handler->($msg, $peer);
	}
}

1;
