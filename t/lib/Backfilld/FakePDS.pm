package Backfilld::FakePDS;

# A PDS and PLC directory that say what the test wants them to, and remember what
# they were asked.
#
#	my $fake = Backfilld::FakePDS->start;
#	$fake->add_repo($did, $document, $car);
#	$fake->answer(getRepo => $did, { hold_after => 1000 });
#	...
#	$fake->release;
#	is scalar $fake->requests('getRepo'), 1, 'asked once';
#
# What an answer may say is told at the top of t/lib/fake-pds.  Repositories that
# verify come from Backfilld::Account's repo_car(), or from the test vectors.

use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();

use Backfilld::Process;

my $json = JSON::PP->new->utf8->canonical;

sub start {
	my ($class) = @_;
	my $script = ($ENV{BF_SRCDIR} || '.') . '/t/lib/fake-pds';
	my $out = File::Temp->new;

	pipe my $their_stdin, my $alive or die "pipe: $!";
	my $pid = Backfilld::Process::spawn([$^X, $script], stdin => $their_stdin,
		stdout => "$out");
	close $their_stdin;
	my ($port) = Backfilld::Process::wait_for {
		die "fake-pds ended at its start\n" if !Backfilld::Process::is_alive($pid);
		open my $file, '<', "$out" or die "$out: $!";
		(<$file> // '') =~ /^(\d+)\n/ && $1
	} 10, 'the fake PDS';
	return bless { port => $port, alive => $alive, pid => $pid,
		files => File::Temp->newdir, made => 0 }, $class;
}

sub stop {
	my ($self) = @_;
	close delete $self->{alive};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
}

sub url { return "http://127.0.0.1:$_[0]{port}" }
sub plc_url { return $_[0]->url }
sub pds_url { return $_[0]->url }

# Serve the DID document, with its PDS replaced by this one, and the repository:
# CAR bytes, or undef for none.
sub add_repo {
	my ($self, $did, $document, $car) = @_;
	my %here = (%$document, service => [ { id => '#atproto_pds',
		type => 'AtprotoPersonalDataServer', serviceEndpoint => $self->url } ]);

	$self->answer_path('/' . quotemeta $did, undef,
		{ body => $json->encode(\%here),
			headers => { 'content-type' => 'application/did+ld+json' } });
	$self->answer(getRepo => $did, { file => $self->file($car),
		headers => { 'content-type' => 'application/vnd.ipld.car' } })
		if defined $car;
}

# What com.atproto.sync.METHOD answers for this DID from now on, one answer after
# the other; the last one stays.
sub answer {
	my ($self, $method, $did, @answers) = @_;
	$self->answer_path("/xrpc/com\\.atproto\\.sync\\.$method", $did, @answers);
}

# The same for a pattern of the path; undef for any DID.
sub answer_path {
	my ($self, $path, $did, @answers) = @_;
	$self->control('POST', 'answer', { path => $path, answers => \@answers,
		defined $did ? (did => $did) : () });
}

# Like its getRepo answer, with more said about it: cut_after, hold_after, ...
sub answer_repo {
	my ($self, $did, $car, %more) = @_;
	$self->answer(getRepo => $did, { file => $self->file($car),
		headers => { 'content-type' => 'application/vnd.ipld.car' }, %more });
}

# An XRPC error as an answer.
sub xrpc_error {
	my ($self, $status, $name, %more) = @_;
	return { status => $status, body => $json->encode({ error => $name,
		message => "scripted $name" }),
		headers => { 'content-type' => 'application/json', %more } };
}

# Bytes as a file that answers can name.
sub file {
	my ($self, $bytes) = @_;
	my $path = "$self->{files}/" . $self->{made}++;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die "$path: $!";
	return $path;
}

# Let all answers go on that are held or stalled.
sub release { $_[0]->control('POST', 'release', {}) }

# What was asked so far, oldest first: [{method, path, query, headers, bytes,
# is_open}]; only of one method of com.atproto.sync if it is given.
sub requests {
	my ($self, $method) = @_;
	my $ledger = $self->control('GET', 'ledger');
	return grep { !defined $method || $_->{path} =~ /\.$method$/ } @$ledger;
}

sub control {
	my ($self, $http_method, $verb, $body) = @_;
	my $response = HTTP::Tiny->new(timeout => 10)->request($http_method,
		$self->url . "/-/$verb", $body ? { content => $json->encode($body) } : {});
	die "fake-pds: $response->{status} $response->{content}" if !$response->{success};
	return $json->decode($response->{content});
}

1;
