package Backfilld::Tokens;

# Accounts in the directory of a private network whose keys the test has, and tokens
# signed with them by the reference's own code (t/net/tokens.mjs).

use strict;
use warnings;
use IPC::Open2 ();
use JSON::PP ();

use Backfilld::Net;

my $json = JSON::PP->new->utf8->canonical;

sub new {
	my ($class, $net) = @_;
	my $pid = IPC::Open2::open2(my $out, my $in, 'node',
		Backfilld::Net::dir() . '/tokens.mjs', $net->plc_url);
	return bless { pid => $pid, in => $in, out => $out }, $class;
}

sub ask {
	my ($self, $verb, %args) = @_;
	my $in = $self->{in};
	print $in $json->encode({ do => $verb, %args }), "\n";
	$in->flush;
	my $line = readline $self->{out};
	die "t/net/tokens.mjs failed at $verb\n" unless defined $line;
	return $json->decode($line);
}

sub account { my ($self, $curve) = @_; $self->ask('account', curve => $curve || 'k256')->{did} }
sub rotate { my ($self, $did) = @_; $self->ask('rotate', did => $did) }
sub mint { my ($self, %args) = @_; $self->ask('mint', %args)->{token} }
sub read { my ($self, %args) = @_; $self->ask('read', %args) }

sub DESTROY {
	my ($self) = @_;
	local $?;
	close $self->{in};
	waitpid $self->{pid}, 0;
}

1;
