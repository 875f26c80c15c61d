package Backfilld::TlsFront;

# TLS in front of a server on this machine, with a certificate of its own
# (t/peer/tls_front.c).
#
#	my $front = Backfilld::TlsFront->start(port => $port, name => 'good.example');
#	my $expired = Backfilld::TlsFront->start(..., seconds => -86400);
#	... $front->port, $front->certificate ...

use strict;
use warnings;
use File::Temp ();

use Backfilld::Process;

use constant { DAY => 86_400, TLS_1_0 => 769 };

# Further options: seconds (of validity from now on), version.
sub start {
	my ($class, %options) = @_;
	my $dir = File::Temp->newdir;
	my $out = File::Temp->new;

	pipe my $their_stdin, my $alive or die "pipe: $!";
	my $pid = Backfilld::Process::spawn([
		($ENV{BF_BUILDDIR} || '.') . '/t/peer/tls-front', $options{port}, $options{name},
		$options{seconds} // DAY, $options{version} // 0, "$dir" ],
		stdin => $their_stdin, stdout => "$out");
	close $their_stdin;
	my $line = Backfilld::Process::wait_for {
		die "tls-front ended at its start\n" if !Backfilld::Process::is_alive($pid);
		open my $file, '<', "$out" or die "$out: $!";
		(<$file> // '') =~ /^(.*)\n/ && $1
	} 10, 'the TLS front';
	my ($port, $certificate) = split ' ', $line;
	return bless { port => $port, certificate => $certificate, alive => $alive,
		pid => $pid, dir => $dir }, $class;
}

sub stop {
	my ($self) = @_;
	close delete $self->{alive};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
}

sub port { return $_[0]{port} }

# PEM.
sub certificate {
	my ($self) = @_;
	open my $file, '<', $self->{certificate} or die "$self->{certificate}: $!";
	local $/;
	return <$file>;
}

1;
