# Requests that are broken, hostile or unfinished: 400 and closed, or cut off;
# the supervisor never hears of them and everybody else is still served.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use Time::HiRes ();

use Backfilld::Api;
use Backfilld::Process qw(wait_for proc_fds proc_rss_kib);

my $nsid = '/xrpc/pub.chive.admin';
my $api = Backfilld::Api->new(settings => {
	http_timeout_ms => 1000, http_max_connections => 60,
	http_max_connections_per_address => 50 });
my ($id) = $api->fill('create pds-scan admin');
$api->start;

my $auth = 'Authorization: '
	. Backfilld::Api::authorization('admin', $Backfilld::Api::PASSWORD);
my $get = "GET /livez HTTP/1.1\r\nHost: x\r\n";
my $post = "POST $nsid.triggerBackfill HTTP/1.1\r\nHost: x\r\n$auth\r\n"
	. "Content-Type: application/json\r\n";
my $hidden = "GET /xrpc/_health HTTP/1.1\r\nHost: x\r\n\r\n";
my $input = '{"type":"pdsScan"}';
my $length = length $input;

# Every answer of a connection until it ends, or until nothing comes any more.
sub answers {
	my ($bytes) = @_;
	my $connection = $api->connect;
	my @answers;
	$connection->put($bytes);
	while (my $answer = eval { $connection->answer }) {
		push @answers, $answer;
	}
	return @answers;
}

subtest 'F98: a request with two readings gets 400 and ends its connection' => sub {
	my %bad = (
		'length and chunked' => "${post}Content-Length: $length\r\n"
			. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		'chunked and length' => "${post}Transfer-Encoding: chunked\r\n"
			. "Content-Length: $length\r\n\r\n0\r\n\r\n",
		'two lengths' => "${post}Content-Length: 0\r\nContent-Length: $length\r\n\r\n$input",
		'the same length twice' => "${post}Content-Length: $length\r\n"
			. "Content-Length: $length\r\n\r\n$input",
		'a list of lengths' => "${post}Content-Length: $length, $length\r\n\r\n$input",
		'a signed length' => "${post}Content-Length: +$length\r\n\r\n$input",
		'a negative length' => "${post}Content-Length: -1\r\n\r\n$input",
		'a huge length' => "${post}Content-Length: 99999999999999999999\r\n\r\n$input",
		'a hexadecimal length' => "${post}Content-Length: 0x5\r\n\r\n$input",
		'gzip, chunked' => "${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		'chunked twice' => "${post}Transfer-Encoding: chunked\r\n"
			. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		'a vertical tab before chunked' => "${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		'a bare LF' => "${get}X: a\nY: b\r\n\r\n",
		'a bare LF at the end' => "${get}X: a\n\r\n",
		'a bare LF alone' => "${get}X: a\r\n\n",
		'a bare LF in the request line' => "GET /livez HTTP/1.1\nHost: x\r\n\r\n",
		'a bare CR' => "${get}X: a\rY: b\r\n\r\n",
		'a folded line' => "${get}X: a\r\n Content-Length: 5\r\n\r\n",
		'a folded length' => "${post}Content-Lengt\r\n h: $length\r\n\r\n$input",
		'a NUL in a value' => "${get}X: a\0b\r\n\r\n",
		'a NUL in a name' => "${get}X\0: a\r\n\r\n",
		'a NUL in the path' => "GET /li\0vez HTTP/1.1\r\nHost: x\r\n\r\n",
		'a control character' => "${get}X: a\x01b\r\n\r\n",
		'a blank before the colon' => "${get}X : a\r\n\r\n",
		'no colon' => "${get}X\r\n\r\n",
		'an empty name' => "${get}: a\r\n\r\n",
		'two hosts' => "${get}Host: y\r\n\r\n",
		'two authorizations' => "$post$auth\r\nContent-Length: $length\r\n\r\n$input",
		'HTTP/0.9' => "GET /livez\r\n\r\n",
		'another protocol' => "GET /livez HTTQ/1.1\r\nHost: x\r\n\r\n",
		'TLS' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'x' x 100 . "\r\n\r\n",
	);
	# What the library cannot read it answers by itself: docs/api.md, "Connections".
	my %by_library = map { $_ => 1 } 'a list of lengths', 'a signed length',
		'a negative length', 'a huge length', 'a hexadecimal length', 'a folded length',
		'a NUL in a name', 'no colon', 'HTTP/0.9', 'another protocol';
	for my $what (sort keys %bad) {
		my @answers = answers($bad{$what} . $hidden);
		cmp_ok scalar @answers, '<=', 1, "$what: nothing behind it is answered";
		like $answers[0]{status} // 'closed', qr/^(400|413|closed)$/, "$what: refused";
		next if !@answers || $answers[0]{status} eq '';
		is $answers[0]{json} && $answers[0]{json}{error},
			$by_library{$what} ? undef : 'InvalidRequest',
			"$what: by " . ($by_library{$what} ? 'the library' : 'us, as XRPC has it');
	}
	ok $api->heard_nothing, 'the supervisor heard nothing';
};

subtest 'F98: chunks are refused in every form' => sub {
	for my $chunks ("12\r\n$input\r\n0\r\n\r\n", "12;a=b\r\n$input\r\n0\r\n\r\n",
		"12\n$input\n0\n\n", "-1\r\n", 'f' x 40 . "\r\n", "0\r\nX: y\r\n\r\n") {
		my @answers = answers("${post}Transfer-Encoding: chunked\r\n\r\n$chunks$hidden");
		is $answers[0]{status}, 411, 'status 411';
		is scalar @answers, 1, 'nothing behind it is answered';
	}
};

subtest 'F99: sizes' => sub {
	my ($answer) = answers("GET /livez?" . 'x' x (1024 * 1024) . " HTTP/1.1\r\n\r\n");
	like $answer->{status} // 'closed', qr/^(414|431|413|400|closed)$/, 'a URL of 1 MiB: LIMIT_HTTP_REQUEST_BYTES';
	($answer) = answers($get . 'X: ' . 'y' x (1024 * 1024) . "\r\n\r\n");
	like $answer->{status} // 'closed', qr/^(431|413|400|closed)$/, 'a header of 1 MiB';
	($answer) = answers($get . "X: y\r\n" x 10_000 . "\r\n");
	like $answer->{status} // 'closed', qr/^(431|413|400|closed)$/, '10,000 headers';
	($answer) = answers($get . "X: y\r\n" x 100 . "\r\n");
	is $answer->{status}, 400, '100 headers: LIMIT_HTTP_HEADERS';
	($answer) = answers("GET $nsid.getBackfillStatus?" . 'a=1&' x 33 . " HTTP/1.1\r\n"
		. "Host: x\r\n\r\n");
	is $answer->{status}, 400, '33 parameters: LIMIT_HTTP_PARAMS';
	($answer) = answers($get . 'X: ' . 'y' x 8192 . "\r\n\r\n");
	is $answer->{status}, 200, 'a header of 8 KiB is taken';

	my $connection = $api->connect;
	my $body = '{"type":"' . 'x' x (64 * 1024) . '"}';
	$connection->put("${post}Content-Length: " . length($body) . "\r\n\r\n$body");
	$answer = $connection->answer;
	is $answer->{status}, 413, 'a body over LIMIT_HTTP_BODY_BYTES';
	is $answer->{json}{error}, 'PayloadTooLarge', 'PayloadTooLarge';
	is $api->ask('GET', '/livez', on => $connection)->answer->{status}, 200,
		'the connection lives on';

	($answer) = answers("${post}Content-Length: 100000000\r\n\r\n");
	is $answer->{status}, 413,
		'100 MB are refused before they are sent: LIMIT_HTTP_DISCARD_BYTES';
	($answer) = answers("${post}Content-Length: 100000000\r\n\r\n" . 'x' x 3_000_000);
	like $answer->{status} // 'closed', qr/^(413|closed)$/, 'and while they are sent';
	($answer) = answers("${post}Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
	is $answer->{status}, 413, 'one who asks first is told at once';
	$body = '{"type":"X","y":"' . 'z' x (64 * 1024 - 19) . '"}';
	is length $body, 64 * 1024, 'a body of exactly the limit';
	$answer = $api->post("$nsid.triggerBackfill", $body,
		headers => { 'Content-Type' => 'application/json' });
	is $answer->{json}{error}, 'InvalidBackfillType', 'is read';
};

subtest 'F98: pipelined requests are answered in order' => sub {
	my $connection = $api->connect;
	$connection->put("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
		. "${post}Content-Length: $length\r\n\r\n$input"
		. "GET $nsid.getBackfillStatus?id=$id HTTP/1.1\r\nHost: x\r\n$auth\r\n\r\n");
	is $connection->answer->{json}{status}, 'ok', 'the first';
	my $trigger = $api->expect('trigger');
	ok !eval { $connection->fill(0.05); 1 }, 'the third waits for the second';
	$api->tell('error', req => $trigger->{req}, name => 'QueueFull', text => 'full');
	is $connection->answer->{json}{error}, 'QueueFull', 'the second';
	is $connection->answer->{json}{operation}{id}, $id, 'the third';
};

subtest 'a request may come byte by byte' => sub {
	my $connection = $api->connect;
	for my $byte (split //, "${get}Long: " . 'y' x 600 . "\r\nCookie: a=b\r\n\r\n") {
		$connection->put($byte);
	}
	is $connection->answer->{status}, 200, 'and is the same request';
};

subtest 'F99: half a request is cut off after http_timeout_ms' => sub {
	my %half = (
		silence => '',
		'a request line' => 'GET /liv',
		headers => "${get}X: ",
		'a body' => "${post}Content-Length: $length\r\n\r\n{",
	);
	for my $what (sort keys %half) {
		my $connection = $api->connect;
		my $started = Time::HiRes::time();
		$connection->put($half{$what});
		ok $connection->is_closed(10), "$what: closed";
		cmp_ok Time::HiRes::time() - $started, '>', 0.8, 'not too early';
	}
	my $connection = $api->connect;
	my $started = Time::HiRes::time();
	$connection->put($get);
	wait_for { !$connection->put("X: y\r\n") } 10, 'a trickle to be cut off';
	cmp_ok Time::HiRes::time() - $started, '<', 8, 'a trickle does not prolong it';
	$connection = $api->connect;
	is $api->ask('GET', '/livez', on => $connection)->answer->{status}, 200,
		'after an answer';
	ok $connection->is_closed(10), 'an idle connection is closed likewise';
};

subtest 'a request that waits is not cut off' => sub {
	my $waiting = $api->ask('POST', "$nsid.cancelBackfill", body => { id => $id });
	my $cancel = $api->expect('cancel');
	ok !eval { $waiting->fill(1.5); 1 }, 'no answer and no end after http_timeout_ms';
	$api->tell('cancelled', req => $cancel->{req}, success => 1, status => 'cancelled',
		text => '');
	is $waiting->answer->{json}{success}, JSON::PP::true, 'the answer';
};

subtest 'a client that goes away while it waits harms nobody' => sub {
	for my $round (1 .. 20) {
		my $waiting = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
		my $trigger = $api->expect('trigger');
		$waiting->close;
		$api->tell('error', req => $trigger->{req}, name => 'QueueFull', text => '')
			if $round % 2;
	}
	is $api->get('/livez')->{status}, 200, 'the API goes on';
};

subtest 'F99: one address has a limit of connections' => sub {
	my @idle = map { eval { $api->connect } } 1 .. 50;
	my $refused = $api->connect;
	$refused->put("$get\r\n");
	ok !eval { $refused->answer }, 'http_max_connections_per_address is one more';
	$_->close for grep { $_ } @idle;
	wait_for { my $answer = eval { $api->get('/livez') }; $answer && $answer->{status} == 200 }
		10, 'room again';
	pass 'and there is room again when they go';
};

subtest 'F99: a flood of resets leaves nothing behind' => sub {
	my $before = keys %{ proc_fds($api->{pid}) };
	for (1 .. 200) {
		my $connection = $api->connect;
		setsockopt $connection->{socket}, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
			pack 'ii', 1, 0;
		$connection->put($get);
		$connection->close;
	}
	wait_for { keys %{ proc_fds($api->{pid}) } <= $before } 10, 'the descriptors to go';
	pass 'no descriptor is left';
	is $api->get('/livez')->{status}, 200, 'the API goes on';
};

# The library answers these before anything of ours sees them: docs/api.md,
# "Connections".
subtest 'F98: what the HTTP library refuses is no XRPC error, but ends' => sub {
	my %refused = (
		'no Host' => [ 400, "GET /livez HTTP/1.1\r\n\r\n" ],
		'a line without a colon' => [ 400, "${get}abc\r\n\r\n" ],
		'a negative length' => [ 400, "${post}Content-Length: -1\r\n\r\n" ],
		'an endless length' => [ 413, "${post}Content-Length: " . '9' x 23 . "\r\n\r\n" ],
		'a long URL' => [ 414, 'GET /' . 'x' x 20_000 . " HTTP/1.1\r\nHost: x\r\n\r\n" ],
		'long headers' => [ 431, $get . 'X: ' . 'y' x 20_000 . "\r\n\r\n" ],
		'another version' => [ 505, "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n" ],
	);
	for my $what (sort keys %refused) {
		my ($status, $bytes) = @{ $refused{$what} };
		my $connection = $api->connect;
		$connection->put($bytes . $hidden);
		my $answer = eval { $connection->answer };
		SKIP: {
			# A reset may overtake the answer to a request that was not read whole.
			skip "$what: only the reset was seen", 2 if !$answer;
			is $answer->{status}, $status, "$what: status $status";
			ok !exists $answer->{headers}{'content-type'}, 'of no type';
		}
		1 while eval { $connection->fill(10) };
		unlike $connection->{in}, qr/"version"/, 'nothing behind it is answered';
	}
};

subtest 'F99: an input that is deep or says a thing twice' => sub {
	for my $bad ('{"a":' . '[' x 2000 . ']' x 2000 . '}', '{"type":"pdsScan","type":"x"}',
		"{\"type\":\"pds\0Scan\"}") {
		my $answer = $api->post("$nsid.triggerBackfill", $bad,
			headers => { 'Content-Type' => 'application/json' });
		is $answer->{status}, 400, 'status 400';
		is $answer->{json}{error}, 'InvalidRequest', 'InvalidRequest';
	}
};

subtest 'F100: many things in one request' => sub {
	my @dids = map { sprintf 'did:plc:%024d', $_ } 1 .. 20_000;
	is $api->post("$nsid.triggerDIDSync", { did => \@dids })->{status}, 413,
		'20,000 DIDs are too long';
	is $api->post("$nsid.triggerDIDSync", { did => [ @dids[0 .. 9] ] })->{status}, 400,
		'and ten are no DID';
	is $api->get("$nsid.getBackfillStatus?" . join('&', map { "id=$id" } 1 .. 20))
		->{status}, 400, 'nor are twenty ids one';
};

ok $api->heard_nothing, 'the supervisor was not bothered';
$api->finish;

subtest 'F99: 10,000 idle connections' => sub {
	my $descriptors = `sh -c 'ulimit -n'` + 0;
	plan skip_all => "only $descriptors descriptors may be open" if $descriptors < 10_200;
	my $many = Backfilld::Api->new(settings => { http_max_connections => 10_100,
		http_max_connections_per_address => 10_100, http_timeout_ms => 60_000 });
	$many->start;
	my $before = proc_rss_kib($many->{pid});
	my @idle = map { $many->connect } 1 .. 10_000;
	is $many->get('/livez')->{status}, 200, 'others are served';
	my $grown = proc_rss_kib($many->{pid}) - $before;
	cmp_ok $grown / 10_000, '<', 24, "an idle one takes less than 24 KiB";
	$_->close for @idle;
	$many->finish;
};
done_testing;
