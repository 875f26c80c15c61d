# The scripted PDS that tests of failure rest on does what they take for granted.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Time::HiRes ();

use Backfilld::FakePDS;
use Backfilld::Process 'wait_for';

my $fake = Backfilld::FakePDS->start;
my $did = 'did:plc:abc';
my $car = join '', map { pack 'N', $_ } 1 .. 50_000;
my $repo = $fake->url . "/xrpc/com.atproto.sync.getRepo?did=$did";

sub get { return HTTP::Tiny->new(timeout => 10, max_redirect => 0)->get(@_) }

# A request without waiting for its answer.
sub ask {
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $fake->{port}) or die "connect: $!";
	print $socket "GET /xrpc/com.atproto.sync.getRepo?did=$did HTTP/1.1\r\n\r\n";
	return $socket;
}

$fake->add_repo($did, { id => $did, service => [] }, $car);

subtest 'it serves a document that points at itself, and the repository' => sub {
	my $document = decode_json(get($fake->plc_url . "/$did")->{content});
	is $document->{service}[0]{serviceEndpoint}, $fake->url, 'the document';
	is get($repo)->{content}, $car, 'the repository';
	is get($fake->url . '/did:plc:other')->{status}, 404, 'nothing else';
};

subtest 'answers come in turn and the last one stays' => sub {
	$fake->answer(getRepo => $did, $fake->xrpc_error(429, 'RateLimitExceeded',
		'retry-after' => 7), { status => 500, body => '<html>', headers => {} },
		{ status => 302, headers => { location => 'http://127.0.0.1:1/' } });
	my $limited = get($repo);
	is $limited->{status}, 429, 'first';
	is $limited->{headers}{'retry-after'}, 7, 'with its header';
	is get($repo)->{content}, '<html>', 'second';
	is get($repo)->{headers}{location}, 'http://127.0.0.1:1/', 'third';
	is get($repo)->{status}, 302, 'and again';
	is_deeply [ map { $_->{query}{did} } $fake->requests('getRepo') ], [ ($did) x 5 ],
		'and each request is in the ledger';
};

subtest 'a body is held until it is released' => sub {
	$fake->answer_repo($did, $car, hold_after => 1000);
	my $socket = ask();
	wait_for { ($fake->requests('getRepo'))[-1]{bytes} == 1000 } 5, '1,000 bytes';
	ok +($fake->requests('getRepo'))[-1]{is_open}, 'the request is open';
	$fake->release;
	wait_for { sysread $socket, my $bytes, 65536;
		!($fake->requests('getRepo'))[-1]{is_open} } 5, 'the rest';
	pass 'and goes on';
};

subtest 'the ledger tells that a client went away' => sub {
	$fake->answer_repo($did, $car, stall => 1);
	my $socket = ask();
	wait_for { ($fake->requests('getRepo'))[-1]{is_open} } 5, 'the request';
	close $socket;
	wait_for { !($fake->requests('getRepo'))[-1]{is_open} } 5, 'its end';
	is +($fake->requests('getRepo'))[-1]{bytes}, 0, 'nothing was sent';
};

subtest 'a body is cut short, dripped, sent in chunks' => sub {
	$fake->answer_repo($did, $car, cut_after => 5000);
	is get($repo)->{status}, 599, 'a cut body is an error to its client';
	$fake->answer_repo($did, substr($car, 0, 50), chunk => 10, interval => 0.02);
	my $start = Time::HiRes::time();
	is get($repo)->{content}, substr($car, 0, 50), 'a dripped one arrives whole';
	cmp_ok Time::HiRes::time() - $start, '>=', 0.08, 'in its time';
	$fake->answer_repo($did, $car, chunked => 1);
	is get($repo)->{content}, $car, 'one without a length';
};

$fake->stop;
done_testing;
