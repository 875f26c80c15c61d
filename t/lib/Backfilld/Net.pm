package Backfilld::Net;

# The private AT network of t/net/ for a test: real PDSs and a real PLC directory.
#
#	my $net = Backfilld::Net->get;
#	my @accounts = $net->seed(accounts => 3, records => 50);
#	$accounts[0]->create('app.bsky.feed.post', { text => 'hello' });
#
# get() shares one network among all tests of a run (BF_NET, set by t/run), so
# a test makes accounts of its own and leaves those of others alone.  start()
# gives the test a network of its own, to stop a PDS or to have rate limits.

use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

use Backfilld::Account;
use Backfilld::Process;

my $json = JSON::PP->new->utf8;

sub dir {
	return ($ENV{BF_SRCDIR} || '.') . '/t/net';
}

sub is_available {
	return -e dir() . '/node_modules/.installed' && !$ENV{BF_NO_NET};
}

sub get {
	my ($class) = @_;
	return $ENV{BF_NET} ? bless $json->decode($ENV{BF_NET}), $class : $class->start;
}

# Options: pds => how many (2), rate_limits => 1.  Skips the test where Node.js
# or the packages are not installed, which CI never takes for an excuse.
sub start {
	my ($class, %options) = @_;
	if (!$class->is_available) {
		die "run t/net/install first\n" if $ENV{CI};
		plan skip_all => 'the private network is not installed: run t/net/install';
	}
	my @argv = ('node', dir() . '/net.mjs', '--pds', $options{pds} || 2);
	push @argv, '--rate-limits' if $options{rate_limits};

	# The network ends when this pipe does, even if we are killed.
	pipe my $their_stdin, my $alive or die "pipe: $!";
	my $out = File::Temp->new;
	my $pid = Backfilld::Process::spawn(\@argv, stdin => $their_stdin,
		stdout => "$out");
	close $their_stdin;
	my $line = Backfilld::Process::wait_for {
		die "t/net/net.mjs ended at its start\n" if !Backfilld::Process::is_alive($pid);
		first_line("$out")
	} 60, 'the private network';
	return bless { %{ $json->decode($line) }, alive => $alive, own_pid => $pid }, $class;
}

# Of a file that is being written; nothing until it is complete.
sub first_line {
	open my $file, '<', $_[0] or return;
	my $line = <$file> // '';
	return $line =~ /\n\z/ ? $line : undef;
}

sub stop {
	my ($self) = @_;
	close delete $self->{alive};
	waitpid $self->{own_pid}, 0;
	Backfilld::Process::forget_group($self->{own_pid});
	return $?;
}

sub plc_url { return $_[0]{plc} }
sub pds_url { return $_[0]{pds}[$_[1] // 0] }

my $seeds = 0;

# Make accounts: accounts => 3, records => 50 (of the first; each further one has
# one less), large => N, pds => number (all).  Returns a list of Backfilld::Account.
sub seed {
	my ($self, %options) = @_;
	my @urls = defined $options{pds} ? $self->{pds}[$options{pds}] : @{ $self->{pds} };
	my @argv = ('node', dir() . '/seed.mjs', map { ('--pds', $_) } @urls);

	$seeds++;
	push @argv, '--prefix', "t$$-$seeds", '--seed', $options{seed} || 1,
		'--accounts', $options{accounts} || 1, '--records', $options{records} || 10;
	open my $seed, '-|', @argv or die "node: $!";
	my @accounts = map { Backfilld::Account->new(%{ $json->decode($_) }, net => $self) }
		<$seed>;
	close $seed or die "t/net/seed.mjs failed\n";
	return @accounts;
}

# A control request of net.mjs (t/net/README.md); dies if it fails.
sub control {
	my ($self, $verb, %body) = @_;
	my $response = HTTP::Tiny->new(timeout => 60)->post("$self->{control}/$verb",
		{ content => $json->encode(\%body) });
	die "$verb: $response->{content}" if !$response->{success};
	my $now = $json->decode($response->{content});
	$self->{$_} = $now->{$_} for keys %$now;
}

sub stop_pds { my ($self, $index) = @_; $self->control('stop-pds', index => $index) }
sub start_pds { my ($self, $index) = @_; $self->control('start-pds', index => $index) }

# The DID document as the directory has it now.
sub did_document {
	my ($self, $did) = @_;
	my $response = HTTP::Tiny->new->get("$self->{plc}/$did");
	die "$did: $response->{status} $response->{content}" if !$response->{success};
	return $json->decode($response->{content});
}

1;
