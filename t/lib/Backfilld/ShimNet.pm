package Backfilld::ShimNet;

# A network of a test's own for workers: names that resolve as the test says, addresses
# that look public, and a ledger of what was looked up and connected to.  Nothing
# leaves the machine (t/shim/net.c).
#
#	my $net = Backfilld::ShimNet->new(workers => ['did-sync']);
#	$net->names('good.example' => '93.184.0.1', 'gone.example' => 'nxdomain');
#	my $daemon = Backfilld::Test->new(settings => { libexec_dir => $net->libexec });
#	...
#	is_deeply [ $net->connected('10.0.0.1') ], [], 'nobody connected to it';
#
# Addresses of names() are this machine's, but for private ones, which nobody answers.

use strict;
use warnings;
use File::Temp ();

use Backfilld::NullOp;

use constant { TABLE_BYTES => 4096, LINE_BYTES => 128, LINES => 512 };

# env => {variable => value}: for the workers alone, whatever the daemon passes on.
sub new {
	my ($class, %options) = @_;
	my $libexec = null_op_libexec();
	my $build = $Backfilld::Test::BUILDDIR;
	my $self = bless { libexec => $libexec, file => "$libexec/net" }, $class;
	my $env = $options{env} || {};

	open my $file, '>', $self->{file} or die "$self->{file}: $!";
	truncate $file, TABLE_BYTES + 8 + LINES * LINE_BYTES or die "$self->{file}: $!";
	for my $worker (@{ $options{workers} }) {
		unlink "$libexec/$worker";
		open my $script, '>', "$libexec/$worker" or die "$worker: $!";
		print $script "#!/bin/sh\n",
			(map { "export $_='$env->{$_}'\n" } sort keys %$env),
			"ASAN_OPTIONS=\"\$ASAN_OPTIONS:verify_asan_link_order=0\"\n",
			"LD_PRELOAD='$build/t/shim/net.so' BF_NET_FILE='$self->{file}'\n",
			"export ASAN_OPTIONS LD_PRELOAD BF_NET_FILE\n",
			"exec '$build/$worker' \"\$@\"\n";
		close $script or die "$worker: $!";
		chmod 0755, "$libexec/$worker" or die "$worker: $!";
	}
	return $self;
}

sub libexec { return $_[0]{libexec} }

# What the names resolve to from now on: an address, a list of them that are told in
# turn, or nxdomain, servfail, hang.
sub names {
	my ($self, %names) = @_;
	my $table = '';

	for my $name (sort keys %names) {
		my @addresses = ref $names{$name} ? @{ $names{$name} } : $names{$name};
		$table .= "name $name @addresses\n";
		$table .= "here $_\n" for grep { /^93\./ } @addresses;
	}
	die 'too many names' if length $table >= TABLE_BYTES;
	$self->put(pack 'a' . TABLE_BYTES, $table);
}

# Forget what was done so far.
sub forget {
	my ($self) = @_;
	$self->put(pack('q', 0) . "\0" x (LINES * LINE_BYTES), TABLE_BYTES);
}

sub put {
	my ($self, $bytes, $at) = @_;
	open my $file, '+<:raw', $self->{file} or die "$self->{file}: $!";
	sysseek $file, $at || 0, 0 or die "$self->{file}: $!";
	syswrite($file, $bytes) == length $bytes or die "$self->{file}: $!";
}

# Lines, in order: 'lookup NAME', 'connect ADDRESS PORT', 'refused ADDRESS PORT'.
sub ledger {
	my ($self) = @_;
	open my $file, '<:raw', $self->{file} or die "$self->{file}: $!";
	local $/;
	my ($count, $lines) = unpack 'x' . TABLE_BYTES . ' q a*', <$file>;
	return (unpack "(Z@{[LINE_BYTES]})*", $lines)[0 .. $count - 1];
}

sub lookups {
	my ($self, $name) = @_;
	return scalar grep { $_ eq "lookup $name" } $self->ledger;
}

# What was connected to but for these ports of 127.0.0.1, well or in vain.
sub connections_beside {
	my ($self, @ports) = @_;
	my %allowed = map { ("connect 127.0.0.1 $_" => 1) } @ports;
	return grep { !/^lookup / && !$allowed{$_} } $self->ledger;
}

1;
