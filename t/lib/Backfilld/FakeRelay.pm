package Backfilld::FakeRelay;

# A relay that replays the events of a real PDS, in order or not, and remembers what
# it was asked.
#
#	my $relay = Backfilld::FakeRelay->start($net->pds_url(0));
#	$relay->set_frames(Backfilld::FakeRelay::record($net->pds_url(0)));
#	$relay->script({ cut_after => 10 }, {});
#	...
#	is scalar $relay->ledger, 2, 'it came again';
#
# What a connection of a script may say is told at the top of t/lib/fake-relay.

use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 ();

use Backfilld::Process;

my $json = JSON::PP->new->utf8->canonical;

sub start {
	my ($class, $upstream) = @_;
	my $script = ($ENV{BF_SRCDIR} || '.') . '/t/lib/fake-relay';
	my $out = File::Temp->new;

	pipe my $their_stdin, my $alive or die "pipe: $!";
	my $pid = Backfilld::Process::spawn([$^X, $script, $upstream],
		stdin => $their_stdin, stdout => "$out");
	close $their_stdin;
	my ($port) = Backfilld::Process::wait_for {
		die "fake-relay ended at its start\n" if !Backfilld::Process::is_alive($pid);
		open my $file, '<', "$out" or die "$out: $!";
		(<$file> // '') =~ /^(\d+)\n/ && $1
	} 30, 'the fake relay';
	return bless { port => $port, alive => $alive, pid => $pid }, $class;
}

sub stop {
	my ($self) = @_;
	close delete $self->{alive};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
}

sub url { return "http://127.0.0.1:$_[0]{port}" }

sub control {
	my ($self, $verb, $content) = @_;
	my $response = HTTP::Tiny->new(timeout => 60)->put($self->url . "/-/$verb",
		{ content => $content // '' });
	die "fake-relay: $response->{status} $response->{content}" if !$response->{success};
	return $json->decode($response->{content});
}

# The frames of the stream, in its order.
sub set_frames {
	my ($self, @frames) = @_;
	$self->control('frames', pack '(N/a)*', @frames);
}

# What its next connections do; the last one stays.  Raw frames are encoded here.
sub script {
	my ($self, @connections) = @_;
	for my $connection (@connections) {
		$connection = {%$connection};
		$_ = MIME::Base64::encode_base64($_, '')
			for grep { defined } @$connection{qw(first last)};
		$connection->{insert} = { map { $_ => MIME::Base64::encode_base64(
			$connection->{insert}{$_}, '') } keys %{ $connection->{insert} } }
			if $connection->{insert};
	}
	$self->control('script', $json->encode(\@connections));
	$self->control('forget');
}

# Its connections since the script was set: {cursor, frames, pings, is_open}.
sub ledger { return @{ $_[0]->control('ledger') } }

# --- frames ---

# {"op": 1, "t": $t} and {"name": $name}; {"op": -1} and {"error": $name}.
sub info_frame { return "\xa2at" . text($_[0]) . "bop\x01\xa1dname" . text($_[1]) }
sub error_frame { return "\xa1bop\x20\xa1eerror" . text($_[0]) }
sub text { return pack('C', 0x60 + length $_[0]) . $_[0] if length $_[0] < 24 or die }

# What a PDS says of everything that it remembers, until nothing more comes.
sub record {
	my ($url) = @_;
	my ($host) = $url =~ m{^http://([^/]+)};
	my $socket = IO::Socket::INET->new(PeerAddr => $host =~ s/localhost/127.0.0.1/r)
		or die "$host: $!";
	my ($bytes, @frames) = ('');

	print $socket "GET /xrpc/com.atproto.sync.subscribeRepos?cursor=0 HTTP/1.1\r\n"
		. "Host: $host\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		. "Sec-WebSocket-Version: 13\r\n"
		. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	$socket->flush;
	while (IO::Select->new($socket)->can_read(3)) {
		last if !sysread $socket, $bytes, 65536, length $bytes;
		$bytes =~ s/^HTTP.*?\r\n\r\n//s;
		while (length $bytes >= 2) {
			my (undef, $len) = unpack 'CC', $bytes;
			my $at = $len == 127 ? 10 : $len == 126 ? 4 : 2;
			last if length $bytes < $at;
			$len = unpack 'x2 n', $bytes if $len == 126;
			$len = unpack 'x6 N', $bytes if $len == 127;
			last if length $bytes < $at + $len;
			push @frames, substr $bytes, $at, $len;
			substr $bytes, 0, $at + $len, '';
		}
	}
	return @frames;
}

1;
