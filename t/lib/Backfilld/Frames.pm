package Backfilld::Frames;

# The daemon's protocol (docs/protocol.md) in Perl: for tests that play one of
# its processes, and an example for workers in other languages.
#
#	my $peer = Backfilld::Frames->new($socket);
#	$peer->send('hello', version => Backfilld::Frames::version(), pid => $$);
#	my $msg = $peer->receive;		# {msg => 'hello', version => ..., ...}
#
# The messages are read from src/proto/messages.def, so they are never out of date.
# Fields that are not given are empty or 0; "op" is a hash of the set fields.

use strict;
use warnings;
use IO::Handle;

my (%number_of, %name_of, %fields_of, %kind_of_op_field);

sub new {
	my ($class, $socket) = @_;
	$socket->blocking(1);
	return bless { socket => $socket, in => '' }, $class;
}

sub send {
	my ($self, $type, %values) = @_;
	my $frame = frame($type, %values);
	while (length $frame) {
		my $n = syswrite $self->{socket}, $frame;
		defined $n or return 0;
		substr($frame, 0, $n) = '';
	}
	return 1;
}

# The next message, or nothing at the end.
sub receive {
	my ($self) = @_;
	until (length $self->{in} >= 4
		&& length $self->{in} >= 4 + unpack('N', $self->{in})) {
		sysread($self->{socket}, $self->{in}, 65536, length $self->{in}) or return;
	}
	my $payload = substr $self->{in}, 4, unpack('N', $self->{in});
	substr($self->{in}, 0, 4 + length $payload) = '';
	my ($number, @values) = @{ unpack_value(\$payload) };
	my $type = $name_of{$number} // die "message $number: unknown\n";
	my %msg = (msg => $type);
	@msg{ map { $_->[1] } @{ $fields_of{$type} } } = @values;
	return \%msg;
}

# The bytes of one message, length prefix included.
sub frame {
	my ($type, %values) = @_;
	my $fields = $fields_of{$type} or die "$type: no such message\n";
	my $payload = pack_head(0x90, 0xdc, 1 + @$fields) . pack_u64($number_of{$type});

	for my $field (@$fields) {
		my ($kind, $name) = @$field;
		$payload .= pack_field($kind, delete $values{$name});
	}
	die "$type: no field ", join(', ', keys %values), "\n" if %values;
	return pack('N', length $payload) . $payload;
}

# What messages.def says.
sub names { return keys %number_of }
sub number_of { return $number_of{ $_[0] } }
sub fields_of { return map { $_->[1] } @{ $fields_of{ $_[0] } } }

# What a hello has to say.
sub version {
	my ($version) = source('proto/fdlayout.h') =~ /#define PROTO_VERSION\s+(\d+)/;
	return $version;
}

# --- msgpack, as much of it as the protocol uses ---

sub pack_field {
	my ($kind, $value) = @_;
	return pack_u64($value // 0) if $kind eq 'U64';
	return $value ? "\xc3" : "\xc2" if $kind eq 'BOOL';
	return pack_text($value // '') if $kind eq 'TEXT';
	return pack_bytes($value // '') if $kind eq 'BYTES';
	return join '', pack_head(0x80, 0xde, scalar keys %$value),
		map { pack_text($_) . pack_field($kind_of_op_field{$_}, $value->{$_}) }
		sort keys %$value;
}

sub pack_head {
	my ($short, $long, $count) = @_;
	return $count < 16 ? pack('C', $short | $count) : pack('Cn', $long, $count);
}

sub pack_u64 {
	my ($n) = @_;
	return $n < 0x80 ? pack('C', $n) : $n < 0x100 ? pack('CC', 0xcc, $n)
		: $n < 0x10000 ? pack('Cn', 0xcd, $n)
		: $n <= 0xffffffff ? pack('CN', 0xce, $n) : pack('CQ>', 0xcf, $n);
}

sub pack_text {
	my ($text) = @_;
	my $n = length $text;
	return ($n < 32 ? pack('C', 0xa0 | $n) : $n < 256 ? pack('CC', 0xd9, $n)
		: pack('Cn', 0xda, $n)) . $text;
}

sub pack_bytes {
	my ($bytes) = @_;
	my $n = length $bytes;
	return ($n < 256 ? pack('CC', 0xc4, $n) : $n < 65536 ? pack('Cn', 0xc5, $n)
		: pack('CN', 0xc6, $n)) . $bytes;
}

sub take {
	my ($from, $template, $size) = @_;
	my $value = unpack $template, substr $$from, 0, $size, '';
	return $value;
}

sub unpack_value {
	my ($from) = @_;
	my $head = take($from, 'C', 1);

	return $head if $head < 0x80;
	return unpack_map($from, $head & 0x0f) if $head < 0x90;
	return unpack_array($from, $head & 0x0f) if $head < 0xa0;
	return substr $$from, 0, $head & 0x1f, '' if $head < 0xc0;
	return $head == 0xc3 ? 1 : 0 if $head == 0xc2 || $head == 0xc3;
	return take($from, 'C', 1) if $head == 0xcc;
	return take($from, 'n', 2) if $head == 0xcd;
	return take($from, 'N', 4) if $head == 0xce;
	return take($from, 'Q>', 8) if $head == 0xcf;
	return substr $$from, 0, take($from, 'C', 1), '' if $head == 0xc4 || $head == 0xd9;
	return substr $$from, 0, take($from, 'n', 2), '' if $head == 0xc5 || $head == 0xda;
	return substr $$from, 0, take($from, 'N', 4), '' if $head == 0xc6 || $head == 0xdb;
	return unpack_array($from, take($from, 'n', 2)) if $head == 0xdc;
	return unpack_map($from, take($from, 'n', 2)) if $head == 0xde;
	die sprintf "msgpack type 0x%02x: not used here\n", $head;
}

sub unpack_array { my ($from, $n) = @_; return [ map { unpack_value($from) } 1 .. $n ] }
sub unpack_map { my ($from, $n) = @_; return { map { unpack_value($from) } 1 .. 2 * $n } }

# --- the messages ---

sub source {
	my ($path) = @_;
	my $dir = $ENV{BF_SRCDIR} || '.';
	open my $file, '<', "$dir/src/$path" or die "$dir/src/$path: $!";
	local $/;
	my $text = <$file>;
	$text =~ s{/\*.*?\*/}{}gs;
	$text =~ s/\\\n//g;
	return $text;
}

my $messages = source('proto/messages.def');
my %fields_of_macro;
while ($messages =~ /#define MSG_(\w+)\(F\)(.*)/g) {
	my ($macro, $body) = ($1, $2);
	$fields_of_macro{$macro} = [ map { [ split /,\s*/ ] } $body =~ /F\(([^)]*)\)/g ];
}
while ($messages =~ /MSG\((\d+),\s*(\w+),\s*(\w+),/g) {
	$number_of{$3} = $1;
	$name_of{$1} = $3;
	$fields_of{$3} = $fields_of_macro{$2};
}
my $op = source('op/op.h');
$kind_of_op_field{$2} = $1 while $op =~ /F\(\d+, (\w+), (\w+)\)/g;

1;
