package Backfilld::FakePeer;

# A network in one process that does what the test says (t/peer): a directory, a
# relay, PDSs with any number of repositories that verify, faults on demand.
#
#	my $peer = Backfilld::FakePeer->start(hosts => 2);
#	my $first = $peer->add(count => 100, host => 1);
#	my $fault = $peer->fault(kind => 'status', status => 429, on => 'getRepo');
#	...
#	$peer->check_faults;	# each of them did happen
#
# Hosts are numbered from 1.  What a fault may say is told in t/peer/peer_fault.c.

use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

use Backfilld::Process;

use constant {
	ACTIVE => 0, DEACTIVATED => 1, SUSPENDED => 2, TAKENDOWN => 3, GONE => 4,
};

sub start {
	my ($class, %options) = @_;
	# Without sanitizers where that is built: it is not what is tested.
	my ($program) = grep { $_ && -x $_ } $options{program},
		map { "$_/t/peer/fake-peer" } grep { $_ } $ENV{BF_PLAIN_BUILDDIR},
		$ENV{BF_BUILDDIR}, '.';
	die "there is no t/peer/fake-peer\n" if !$program;
	my $out = File::Temp->new;

	pipe my $their_stdin, my $alive or die "pipe: $!";
	my $pid = Backfilld::Process::spawn([$program, $options{hosts} || 1],
		stdin => $their_stdin, stdout => "$out");
	close $their_stdin;
	my $line = Backfilld::Process::wait_for {
		die "fake-peer ended at its start\n" if !Backfilld::Process::is_alive($pid);
		open my $file, '<', "$out" or die "$out: $!";
		(<$file> // '') =~ /^([\d ]+)\n/ && $1
	} 30, 'the fake peer';
	return bless { ports => [ split ' ', $line ], alive => $alive, pid => $pid,
		faults => [] }, $class;
}

sub stop {
	my ($self) = @_;
	close delete $self->{alive};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
	return $?;
}

sub pid { return $_[0]{pid} }
sub plc_url { return "http://127.0.0.1:$_[0]{ports}[0]" }
sub relay_url { return $_[0]->plc_url }
sub pds_url { my ($self, $host) = @_; return "http://127.0.0.1:$self->{ports}[$host // 1]" }
sub hosts { return $#{ $_[0]{ports} } }

sub control {
	my ($self, $verb, %params) = @_;
	my $http = HTTP::Tiny->new(timeout => 300);
	my $query = $http->www_form_urlencode(\%params);
	my $response = $http->get($self->plc_url . "/-/$verb?$query");
	die "fake-peer: $verb: $response->{status} $response->{content}"
		if !$response->{success};
	return $response->{content};
}

# More repositories: count, host, records, chive.  Returns the first one's number.
sub add { my ($self, %params) = @_; return $self->control('add', %params) }

# Change repositories: number, count, and what of peer.h's struct peer_repo.
sub set { my ($self, %params) = @_; $self->control('set', %params) }

# From now on.  why => a name for check_faults().  Returns its number.
sub fault {
	my ($self, %params) = @_;
	my $why = delete $params{why} // join ' ', map { "$_=$params{$_}" } sort keys %params;
	my $number = $self->control('fault', %params);
	die "fake-peer: no such fault: $why" if $number < 0;
	push @{ $self->{faults} }, $why;
	return $number;
}

sub fired { my ($self, $number) = @_; return $self->ledger->{faults}[$number] }

# A fault that did not happen proves nothing.  No faults any more afterwards.
sub check_faults {
	my ($self) = @_;
	my $fired = $self->ledger->{faults};
	my @silent = grep { !$fired->[$_] } 0 .. $#{ $self->{faults} };

	is join(', ', map { $self->{faults}[$_] } @silent), '', 'every fault did happen';
	$self->clear_faults;
}

sub clear_faults {
	my ($self) = @_;
	$self->control('clear');
	$self->{faults} = [];
}

# {requests => {"HOST NAME" => n}, faults, most => [n by host], log => [...]}
sub ledger { my ($self) = @_; return JSON::PP->new->decode($self->control('ledger')) }

# How often a host was asked for something; 'getRepo', 'plc', ...
sub asked {
	my ($self, $name, $host) = @_;
	my $requests = $self->ledger->{requests};
	my @hosts = defined $host ? $host : 0 .. $self->hosts;
	my $sum = 0;

	$sum += $requests->{"$_ $name"} || 0 for @hosts;
	return $sum;
}

sub forget { $_[0]->control('forget') }
sub stop_host { my ($self, $host) = @_; $self->control('stop', host => $host) }
sub start_host { my ($self, $host) = @_; $self->control('start', host => $host) }

# The DID of a repository by its number.
sub did {
	my ($self, $number) = @_;
	my @digits = ('a' .. 'z', 2 .. 7);
	my $text = '';

	for (1 .. 20) {
		$text = $digits[$number & 31] . $text;
		$number >>= 5;
	}
	return "did:plc:peer$text";
}

1;
