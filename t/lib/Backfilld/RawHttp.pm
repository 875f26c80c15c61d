package Backfilld::RawHttp;

# An HTTP connection whose every byte the test decides: for pipelining, for
# requests that wait, and for abuse.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes ();

use constant SECONDS => 20;

sub new {
	my ($class, $address) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => $address, Timeout => SECONDS)
		or die "connect $address: $@";
	binmode $socket;
	return bless { socket => $socket, in => '' }, $class;
}

# Bytes as they are.  False if the peer does not want them any more.
sub put {
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes) {
		my $n = syswrite $self->{socket}, $bytes;
		return 0 unless defined $n;
		substr $bytes, 0, $n, '';
	}
	return 1;
}

# A whole request.  Headers: {name => value}; a body gets its length.
sub ask {
	my ($self, $method, $target, $headers, $body) = @_;
	my %headers = (Host => 'localhost', %{ $headers || {} });

	$headers{'Content-Length'} //= length $body if defined $body;
	return $self->put("$method $target HTTP/1.1\r\n"
		. join('', map { "$_: $headers{$_}\r\n" } sort keys %headers)
		. "\r\n" . ($body // ''));
}

# More bytes into {in}; false at the end of the stream.  Dies of impatience.
sub fill {
	my ($self, $seconds) = @_;
	my $select = IO::Select->new($self->{socket});

	die "no answer in time\n" unless $select->can_read($seconds // SECONDS);
	my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
	return $n;
}

# The next answer: {status, headers, body, json}; nothing if the connection
# ended before one.  no_body => 1 for the answer to a HEAD.
sub answer {
	my ($self, %options) = @_;

	while ($self->{in} !~ /\r\n\r\n/) {
		return unless $self->fill;
	}
	$self->{in} =~ s/^(.*?)\r\n\r\n//s;
	my ($first, @lines) = split /\r\n/, $1;
	my ($status) = $first =~ m{^HTTP/1\.1 (\d{3})} or die "bad status line: $first";
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } @lines;
	my $len = $options{no_body} ? 0 : $headers{'content-length'} // 0;
	while (length $self->{in} < $len) {
		$self->fill or die "the answer's body is cut";
	}
	my $body = substr $self->{in}, 0, $len, '';
	return { status => $status, headers => \%headers, body => $body,
		json => scalar eval { JSON::PP->new->utf8->decode($body) } };
}

# The head of an answer that is a stream; its body comes by event().
sub stream {
	my ($self) = @_;
	return $self->answer(no_body => 1);
}

# The next server-sent event of a stream: {id, event, data, json}; comments are
# passed over.  Nothing at its end.
sub event {
	my ($self, $seconds) = @_;
	$self->{text} //= '';
	while (1) {
		while ($self->{text} =~ s/^(.*?)\n\n//s) {
			my %event = map { /^(\w+): ?(.*)$/ ? ($1, $2) : () } split /\n/, $1;
			next unless exists $event{data};
			$event{json} = JSON::PP->new->utf8->decode($event{data});
			return \%event;
		}
		next if $self->unchunk;
		return if $self->{is_over} || !$self->fill($seconds);
	}
}

# Move whole chunks from {in} to {text}; false if there is none.
sub unchunk {
	my ($self) = @_;
	return 0 unless $self->{in} =~ /^([0-9a-fA-F]+)\r\n/;
	my ($head, $len) = (length $1, hex $1);
	return 0 if length $self->{in} < $head + 2 + $len + 2;
	$self->{is_over} = 1 if $len == 0;
	$self->{text} .= substr $self->{in}, $head + 2, $len;
	substr($self->{in}, 0, $head + 2 + $len + 2) = '';
	return 1;
}

# True when the peer closes, and nothing more came before that.
sub is_closed {
	my ($self, $seconds) = @_;
	return length $self->{in} == 0 && !eval { $self->fill($seconds) } && !$@;
}

sub close { close $_[0]{socket} }

1;
