package Backfilld::H2Front;

# HTTP/2 over TLS in front of a server on this machine (t/lib/h2-front.mjs).
#
#	my $front = Backfilld::H2Front->start(port => $port, name => 'pds.example');
#	$front->now('goaway 10');
#	...
#	my @lines = $front->ledger;	# since then

use strict;
use warnings;
use File::Temp ();

use Backfilld::Process;

sub start {
	my ($class, %options) = @_;
	my $dir = File::Temp->newdir;
	my ($key, $certificate, $ledger) = map { "$dir/$_" } qw(key certificate ledger);

	my $made = Backfilld::Process::spawn([ qw(openssl req -x509 -newkey ec -pkeyopt
		ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -keyout), $key,
		'-out', $certificate, '-addext', "subjectAltName=DNS:$options{name}" ],
		stderr => "$dir/openssl");
	waitpid $made, 0;
	die 'openssl req' if $? != 0;
	Backfilld::Process::forget_group($made);
	pipe my $their_stdin, my $stdin or die "pipe: $!";
	my $pid = Backfilld::Process::spawn([ 'node',
		($ENV{BF_SRCDIR} || '.') . '/t/lib/h2-front.mjs', $options{port}, $key,
		$certificate, $ledger ], stdin => $their_stdin, stdout => "$dir/out");
	close $their_stdin;
	my $port = Backfilld::Process::wait_for {
		die "h2-front ended at its start\n" if !Backfilld::Process::is_alive($pid);
		open my $file, '<', "$dir/out" or return;
		(<$file> // '') =~ /^(\d+)\n/ && $1
	} 30, 'the HTTP/2 front';
	$stdin->autoflush(1);
	return bless { port => $port, dir => $dir, stdin => $stdin, pid => $pid }, $class;
}

sub stop {
	my ($self) = @_;
	close delete $self->{stdin};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
}

sub port { return $_[0]{port} }
sub certificate_file { return "$_[0]{dir}/certificate" }

# What it does from now on, which it has understood when this returns.
sub now {
	my ($self, $what) = @_;
	my $seen = () = $self->lines;
	my $stdin = $self->{stdin};
	print $stdin "$what\n";
	Backfilld::Process::wait_for {
		my @lines = $self->lines;
		grep { $_ eq "now $what" } @lines[$seen .. $#lines]
	} 30, "the HTTP/2 front to be told: $what";
}

sub lines {
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/ledger" or return;
	chomp(my @lines = <$file>);
	return @lines;
}

# Since it was told what to do.
sub ledger {
	my ($self) = @_;
	my @lines = $self->lines;
	my ($told) = grep { $lines[$_] =~ /^now / } reverse 0 .. $#lines;
	return @lines[ $told + 1 .. $#lines ];
}

1;
