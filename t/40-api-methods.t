# Every XRPC method of the API answers as its lexicon says, and asks the
# supervisor for what changes an operation.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Api;
use Backfilld::Lexicon;

my $did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
my $nsid = '/xrpc/pub.chive.admin';
my $api = Backfilld::Api->new;
my ($done, $failed, $running, $cancelled, $queued) = $api->fill(
	"create did-sync did:plc:aaaaaaaaaaaaaaaaaaaaaaaa $did",
	'create pds-scan admin', "create did-sync uid_1000 did:web:example.com",
	'create freshness-scan admin', 'create full-reindex admin');
$api->fill("start $done", "progress $done 200 200", "complete $done",
	"start $failed", "fail $failed it-broke",
	"start $running", "progress $running 50 200",
	"start $cancelled", "cancel $cancelled admin");
$api->start;

sub conforms {
	my ($method, $answer, $what) = @_;
	my @faults = Backfilld::Lexicon::output_faults($method, $answer->{json});
	is $answer->{status}, 200, "$what: status 200" or diag $answer->{body};
	ok !@faults, "$what: conforms to the lexicon" or diag join "\n", @faults;
	like $answer->{headers}{'content-type'}, qr{^application/json}, 'as JSON';
	return $answer->{json};
}

sub refused {
	my ($answer, $status, $name, $what) = @_;
	is $answer->{status}, $status, "$what: status $status";
	is $answer->{json}{error}, $name, "$what: $name" or diag $answer->{body};
	ok length $answer->{json}{message}, "$what: has a message";
}

sub status {
	my ($query, %options) = @_;
	return $api->get("$nsid.getBackfillStatus$query", %options);
}

sub ids { return map { $_->{id} } @{ $_[0]{json}{operations} } }

# What the supervisor would say of a new operation.
sub op {
	my (%more) = @_;
	return { id => '3kaaaaaaaaa2a', type => 'did-sync', status => 1,
		created_ms => 1700000000123, started_by => 'admin', %more };
}

subtest 'getBackfillStatus shows one operation' => sub {
	my $op = conforms('getBackfillStatus', status("?id=$done"), 'a completed one')
		->{operation};
	is $op->{id}, $done, 'its id';
	is $op->{type}, 'did-sync', 'its type in kebab-case';
	is $op->{status}, 'completed', 'its status';
	is $op->{startedBy}, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'startedBy is a DID';
	is $op->{recordsProcessed}, 200, 'recordsProcessed';
	is $op->{totalRecords}, 200, 'totalRecords';
	is $op->{progress}, 100, 'progress';
	is $op->{params}{did}, $did, 'its parameters';
	ok $op->{completedAt} gt $op->{startedAt}, 'completedAt';

	$op = conforms('getBackfillStatus', status("?id=$failed"), 'a failed one')
		->{operation};
	is $op->{error}, 'it-broke', 'its error';
	is $op->{errorClass}, 'worker-died', 'its class';
	is $op->{exit}{signal}, 'SIGSEGV', 'its signal';
	ok !exists $op->{startedBy}, 'startedBy is left out when it is no DID';
	is $op->{triggeredBy}, 'admin', 'and triggeredBy says who';

	$op = conforms('getBackfillStatus', status("?id=$running"), 'a running one')
		->{operation};
	is $op->{progress}, 25, 'progress';
	is $op->{stage}, 'fetch', 'stage';
	ok $op->{etaSeconds} > 0, 'etaSeconds';
	is status("?id=$cancelled")->{json}{operation}{exit}{killed}, JSON::PP::true,
		'a cancelled one says that it was killed';
};

subtest 'an unknown id is an error' => sub {
	refused(status("?id=3zzzzzzzzzzz2"), 400, 'OperationNotFound', 'well-formed');
	refused(status("?id=nonsense"), 400, 'OperationNotFound', 'not a TID');
	refused(status("?id=" . 'x' x 4000), 400, 'OperationNotFound', 'long');
};

subtest 'getBackfillStatus lists operations, newest first' => sub {
	my $answer = status('');
	conforms('getBackfillStatus', $answer, 'the list');
	is_deeply [ ids($answer) ], [ $queued, $cancelled, $running, $failed, $done ],
		'all of them';
	ok !exists $answer->{json}{cursor}, 'without a cursor, as there are no more';
	is_deeply [ ids(status('?status=running')) ], [$running], 'by status';
	is_deeply [ ids(status('?type=did-sync')) ], [ $running, $done ], 'by type';
	is_deeply [ ids(status('?type=didSync&status=completed')) ], [$done],
		'by both, in the other spelling';
	is_deeply [ ids(status('?type=catch-up')) ], [], 'none';
};

subtest 'a list is paged by limit and cursor' => sub {
	my ($cursor, @seen) = ('');
	for my $page (1 .. 3) {
		my $answer = status("?limit=2$cursor");
		push @seen, ids($answer);
		$cursor = $answer->{json}{cursor};
		last unless defined $cursor;
		is scalar ids($answer), 2, "page $page is full";
		$cursor = "&cursor=$cursor";
	}
	is_deeply \@seen, [ $queued, $cancelled, $running, $failed, $done ],
		'nothing twice, nothing left out';
};

subtest 'getBackfillHistory lists what has ended' => sub {
	my $answer = $api->get("$nsid.getBackfillHistory");
	conforms('getBackfillHistory', $answer, 'the history');
	is_deeply [ ids($answer) ], [ $cancelled, $failed, $done ], 'newest first';
	$answer = $api->get("$nsid.getBackfillHistory?limit=1&status=failed");
	is_deeply [ ids($answer) ], [$failed], 'by status';
	refused($api->get("$nsid.getBackfillHistory?status=running"), 400,
		'InvalidRequest', 'a status that has not ended');
};

subtest 'parameters out of range are refused, even before authentication' => sub {
	for my $query ('limit=0', 'limit=101', 'limit=x', 'status=done', 'type=X',
		'cursor=x', 'id=', 'id=a&id=b', 'id=%00', 'id=%f', 'id=%ff') {
		refused(status("?$query", as => ''), 400, 'InvalidRequest', $query);
	}
	like status('?limit=101')->{json}{message},
		qr/integer too big \(maximum 100, got 101\)/, 'worded as the reference';
};

subtest 'triggerBackfill hands the operation to the supervisor' => sub {
	for my $type ('didSync', 'did-sync') {
		my $waiting = $api->ask('POST', "$nsid.triggerBackfill",
			body => { type => $type, did => $did, extra => [1] });
		my $trigger = $api->expect('trigger');
		is $trigger->{type}, 'did-sync', "$type is the type did-sync";
		is $trigger->{did}, $did, 'with its did';
		is $trigger->{started_by}, 'admin', 'and who asked';
		$api->tell('op', req => $trigger->{req}, op => op(did => $did));
		my $json = conforms('triggerBackfill', $waiting->answer, 'the answer');
		is $json->{operation}{status}, 'queued', 'the operation is queued';
		is $json->{operation}{startedAt}, '2023-11-14T22:13:20.123Z', 'startedAt';
	}
};

subtest 'a type of an operator\'s own is for the supervisor to know' => sub {
	my $waiting = $api->ask('POST', "$nsid.triggerBackfill",
		body => { type => 'my-own', did => $did, uri => "at://$did" });
	my $trigger = $api->expect('trigger');
	is $trigger->{type}, 'my-own', 'it is asked for as it is';
	is $trigger->{uri}, "at://$did", 'with whatever parameters';
	$api->tell('error', req => $trigger->{req}, name => 'InvalidBackfillType',
		text => 'there is none');
	refused($waiting->answer, 400, 'InvalidBackfillType', 'one that is not installed');
};

subtest 'each trigger of one type asks for that type' => sub {
	my %of = (
		triggerDIDSync => [ 'did-sync', { did => $did } ],
		triggerPDSScan => [ 'pds-scan', { pdsUrl => 'https://pds.example' } ],
		triggerFreshnessScan => [ 'freshness-scan', { tier => 'recent' } ],
		triggerGovernanceSync => [ 'governance-sync', {} ],
		triggerCitationExtraction => [ 'citation-extraction',
			{ uri => "at://$did/pub.chive.eprint.submission/3kabc" } ],
		triggerFullReindex => [ 'full-reindex', { batchSize => 500 } ],
	);
	for my $method (sort keys %of) {
		my ($type, $input) = @{ $of{$method} };
		my $waiting = $api->ask('POST', "$nsid.$method", body => $input);
		my $trigger = $api->expect('trigger');
		is $trigger->{type}, $type, "$method: $type";
		is $trigger->{pds_url}, $input->{pdsUrl} // '', 'pdsUrl';
		is $trigger->{uri}, $input->{uri} // '', 'uri';
		is $trigger->{batch_size}, $input->{batchSize} // 0, 'batchSize';
		is $trigger->{tier}, $input->{tier} // '', 'tier';
		$api->tell('op', req => $trigger->{req}, op => op(type => $type));
		my $json = conforms($method, $waiting->answer, $method);
		is $json->{operationId}, op()->{id}, 'operationId';
		is $json->{operation}{type}, $type, 'and the operation';
	}
	my @untested = grep { /^trigger/ && $_ ne 'triggerBackfill' && !$of{$_} }
		Backfilld::Lexicon::methods();
	is "@untested", '', 'no method of the lexicons is left out';
};

subtest 'a bad input is refused and the supervisor never hears of it' => sub {
	my @bad = (
		[ '{}', 'InvalidRequest' ],
		[ '{"type":1}', 'InvalidRequest' ],
		[ '{"type":""}', 'InvalidRequest' ],
		[ '{"type":"a/b"}', 'InvalidBackfillType' ],
		[ '{"type":"../did-sync"}', 'InvalidBackfillType' ],
		[ '{"type":"DidSync"}', 'InvalidBackfillType' ],
		[ '{"type":"didSync"}', 'InvalidRequest' ],
		[ '{"type":"didSync","did":"x"}', 'InvalidRequest' ],
		[ '{"type":"didSync","did":null}', 'InvalidRequest' ],
		[ '{"type":"didSync","did":"did:plc:short"}', 'InvalidRequest' ],
		[ qq({"type":"didSync","did":"$did","pdsUrl":"https://x"}), 'InvalidRequest' ],
		[ '{"type":"pdsScan","pdsUrl":"ftp://x"}', 'InvalidRequest' ],
		[ '{"type":"citationExtraction","uri":"https://x"}', 'InvalidRequest' ],
		[ '{"type":"fullReindex","batchSize":0}', 'InvalidRequest' ],
		[ '{"type":"fullReindex","batchSize":1.5}', 'InvalidRequest' ],
		[ '{"type":"freshnessScan","tier":"Urgent"}', 'InvalidRequest' ],
		[ '{"type":"freshnessScan","tier":1}', 'InvalidRequest' ],
		[ '{"type":"fullReindex","tier":"urgent"}', 'InvalidRequest' ],
		[ qq({"type":"didSync","type":"didSync","did":"$did"}), 'InvalidRequest' ],
		[ '[]', 'InvalidRequest' ], [ 'null', 'InvalidRequest' ],
		[ '{', 'InvalidRequest' ], [ "{\"type\":\"\\u0000\"}", 'InvalidRequest' ],
		[ '{"a":' . '[' x 2000 . ']' x 2000 . '}', 'InvalidRequest' ],
	);
	for my $bad (@bad) {
		my ($body, $name) = @$bad;
		refused($api->post("$nsid.triggerBackfill", $body,
			headers => { 'Content-Type' => 'application/json' }), 400, $name,
			substr $body, 0, 60);
	}
	ok $api->heard_nothing, 'nothing was asked of the supervisor';
};

subtest 'the rules of the body are those of the reference server' => sub {
	my $path = "$nsid.triggerBackfill";
	my $json = { 'Content-Type' => 'application/json' };
	my @rules = (
		[ $api->post($path, undef), 400, qr/expected but none/ ],
		[ $api->post($path, '', headers => $json), 400, qr/expected but none/ ],
		[ $api->post($path, '{}'), 400, qr/Content-Type\) required/ ],
		[ $api->post($path, '{}', headers => { 'Content-Type' => 'text/plain' }),
			400, qr/Wrong request encoding \(Content-Type\): text\/plain/ ],
		[ $api->post($path, '{}', headers => { 'Content-Type' =>
			'application/json;charset=utf-8' }), 400, qr/property "type"/ ],
		[ $api->post($path, '{}', headers => { %$json, 'Content-Encoding' => 'gzip' }),
			415, qr/content-encoding/ ],
		[ $api->ask('GET', "$nsid.getBackfillStatus", body => '{}', headers => $json)
			->answer, 400, qr/provided when none/ ],
		[ $api->get($path), 400,
			qr/Incorrect HTTP method \(GET\) expected POST/ ],
		[ $api->post("$nsid.getBackfillStatus", '{}', headers => $json), 400,
			qr/Incorrect HTTP method \(POST\) expected GET/ ],
	);
	for my $rule (@rules) {
		my ($answer, $status, $message) = @$rule;
		is $answer->{status}, $status, "$message: $status";
		like $answer->{json}{message}, $message, 'the message';
	}
	is $api->ask('GET', "$nsid.getBackfillStatus", headers => { 'Content-Length' => 0 })
		->answer->{status}, 200, 'a length of 0 is no body';
};

subtest 'paths that are not served' => sub {
	refused($api->get("$nsid.noSuchMethod"), 501, 'MethodNotImplemented', 'method');
	refused($api->get('/xrpc/com.atproto.server.describeServer'), 501,
		'MethodNotImplemented', 'another authority');
	refused($api->get('/xrpc/pub.chive.adminX.getBackfillStatus'), 501,
		'MethodNotImplemented', 'an authority that begins alike');
	refused($api->get('/xrpc/a/b'), 400, 'InvalidRequest', 'a bad path');
	refused($api->get('/xrpc/a%2Eb'), 400, 'InvalidRequest', 'an escaped path');
	refused($api->get('/xrpc/'), 400, 'InvalidRequest', 'no method');
	refused($api->get('/nothing'), 404, 'XRPCNotSupported', 'elsewhere');
	is $api->get("$nsid.getBackfillStatus/")->{status}, 200, 'one slash at the end';
};

subtest 'errors of the supervisor keep their name and get their status' => sub {
	my @errors = (
		[ 'BackfillInProgress', 409 ], [ 'QueueFull', 503 ], [ 'DiskFull', 503 ],
		[ 'ShuttingDown', 503 ], [ 'InvalidBackfillType', 400 ],
		[ 'MethodNotImplemented', 501 ], [ 'InvalidRequest', 400 ],
	);
	for my $error (@errors) {
		my ($name, $status) = @$error;
		my $waiting = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
		$api->tell('error', req => $api->expect('trigger')->{req}, name => $name,
			text => 'why', id => $name eq 'BackfillInProgress' ? $running : '');
		my $answer = $waiting->answer;
		refused($answer, $status, $name, $name);
		is $answer->{json}{id}, $running, 'the id of the running one'
			if $status == 409;
		ok $answer->{headers}{'retry-after'}, 'Retry-After' if $status == 503;
	}
	my $waiting = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
	$api->tell('error', req => $api->expect('trigger')->{req}, name => 'Surprise',
		text => 'secret');
	my $answer = $waiting->answer;
	refused($answer, 500, 'InternalServerError', 'an unknown one');
	unlike $answer->{body}, qr/secret/, 'its text is not told';
};

subtest 'cancelBackfill answers with the outcome' => sub {
	for my $member ('id', 'operationId') {
		my $waiting = $api->ask('POST', "$nsid.cancelBackfill",
			body => { $member => $running, reason => 'too slow' });
		my $cancel = $api->expect('cancel');
		is $cancel->{id}, $running, "$member: the id";
		is $cancel->{by}, 'admin', 'by whom';
		is $cancel->{reason}, 'too slow', 'why';
		ok !eval { $waiting->fill(0.05); 1 }, 'no answer before the outcome';
		$api->tell('cancelled', req => $cancel->{req}, success => 1,
			status => 'cancelled', text => 'done');
		my $json = conforms('cancelBackfill', $waiting->answer, 'the answer');
		is_deeply $json, { success => JSON::PP::true, id => $running,
			status => 'cancelled', message => 'done' }, 'success';
	}
	my $waiting = $api->ask('POST', "$nsid.cancelBackfill", body => { id => $done });
	$api->tell('cancelled', req => $api->expect('cancel')->{req}, success => 0,
		status => 'completed', text => 'it has ended');
	my $json = conforms('cancelBackfill', $waiting->answer, 'of a finished one');
	is $json->{success}, JSON::PP::false, 'no success';
	is $json->{status}, 'completed', 'the truth';

	for my $body ('{}', '{"id":1}', '{"id":""}', qq({"id":"$done","operationId":"$failed"})) {
		refused($api->post("$nsid.cancelBackfill", $body,
			headers => { 'Content-Type' => 'application/json' }), 400,
			'InvalidRequest', $body);
	}
	refused($api->post("$nsid.cancelBackfill", { id => 'nonsense' }), 400,
		'OperationNotFound', 'an id that can be no operation');
	ok $api->heard_nothing, 'the supervisor was not asked for those';
};

subtest 'answers may come in any order' => sub {
	my @waiting = map { $api->ask('POST', "$nsid.triggerPDSScan",
		body => { pdsUrl => "https://pds$_.example" }) } 1 .. 5;
	my @triggers = map { $api->expect('trigger') } @waiting;
	for my $trigger (reverse @triggers) {
		$api->tell('op', req => $trigger->{req}, op => op(type => 'pds-scan',
			pds_url => $trigger->{pds_url}));
	}
	is_deeply [ map { $_->answer->{json}{operation}{params}{pdsUrl} } @waiting ],
		[ map { "https://pds$_.example" } 1 .. 5 ], 'each client got its own';
};

subtest 'without the right password there is only 401' => sub {
	for my $as ('', [ 'admin', 'wrong' ], [ 'root', $Backfilld::Api::PASSWORD ],
		[ 'admin', '' ]) {
		my $answer = status('', as => $as);
		refused($answer, 401, 'AuthenticationRequired', 'as ' . join ':', ref $as ? @$as : ());
		like $answer->{headers}{'www-authenticate'}, qr/^Basic realm="admin"/,
			'WWW-Authenticate';
	}
	refused($api->post("$nsid.triggerBackfill", { type => 'nope' }, as => ''), 401,
		'AuthenticationRequired', 'authentication comes before the body');
	is $api->get('/xrpc/_health', as => '')->{status}, 200, '_health is public';
};

subtest 'the password may be configured as a hash' => sub {
	my $ctl = "$Backfilld::Api::BUILDDIR/backfillctl";
	open my $out, '-|', "printf 'correct horse\n' | $ctl hash-password --cost 1"
		or die $!;
	chomp(my $hash = <$out> // '');
	close $out;
	is $?, 0, 'backfillctl hash-password';
	like $hash, qr/^\$y\$/, 'prints a hash';
	isnt system("printf '\n' | $ctl hash-password >/dev/null 2>&1"), 0, 'not of nothing';
	my $hashed = Backfilld::Api->new(settings => { admin_password => $hash });
	$hashed->start;
	my $path = "$nsid.getBackfillStatus";
	is $hashed->get($path)->{status}, 200, 'the password lets in';
	is $hashed->get($path)->{status}, 200, 'again';
	is $hashed->get($path, as => [ 'admin', 'wrong' ])->{status}, 401, 'another does not';
	is $hashed->get($path, as => [ 'admin', $hash ])->{status}, 401,
		'the hash itself does not';
	unlike $hashed->log, qr/correct horse|\Q$hash\E/, 'neither is in the log';
	$hashed->finish;
};

subtest 'health' => sub {
	like $api->get('/xrpc/_health')->{json}{version}, qr/^\d+\.\d+/, 'a version';
	is $api->get('/livez')->{status}, 200, 'livez';
	is $api->get('/readyz')->{status}, 200, 'readyz';
};

subtest 'what has not changed is 304' => sub {
	for my $query ("?id=$done", '', '?status=running') {
		my $connection = $api->ask('GET', "$nsid.getBackfillStatus$query");
		my $tag = $connection->answer->{headers}{etag};
		ok $tag, "'$query' has an ETag";
		for my $known ($tag, "\"x\", $tag", $tag =~ s{^W/}{}r, '*') {
			my $answer = $api->ask('GET', "$nsid.getBackfillStatus$query",
				on => $connection, headers => { 'If-None-Match' => $known })
				->answer(no_body => 1);
			is $answer->{status}, 304, "304 for $known";
			is $answer->{headers}{etag}, $tag, 'with the ETag';
		}
		my $answer = $api->ask('GET', "$nsid.getBackfillStatus$query",
			on => $connection, headers => { 'If-None-Match' => 'W/"x"' })->answer;
		is $answer->{status}, 200, '200 for another';
		ok $answer->{json}, 'with the body';
	}
	my $before = status("?id=$running")->{headers}{etag};
	$api->fill("progress $running 51 200");
	isnt status("?id=$running")->{headers}{etag}, $before, 'progress changes it';
	$api->fill("progress $running 50 200");
};

subtest 'HEAD and OPTIONS' => sub {
	my $connection = $api->ask('HEAD', "$nsid.getBackfillStatus?id=$done");
	my $head = $connection->answer(no_body => 1);
	is $head->{status}, 200, 'HEAD';
	my $get = $api->ask('GET', "$nsid.getBackfillStatus?id=$done",
		on => $connection)->answer;
	is length $get->{body}, $head->{headers}{'content-length'},
		'has the length of the body it leaves out';
	my $options = $api->ask('OPTIONS', "$nsid.triggerBackfill", as => '',
		headers => { Origin => 'https://x' })->answer;
	is $options->{status}, 204, 'OPTIONS needs no password';
	is $options->{headers}{'access-control-allow-origin'}, '*', 'any origin';
	ok !exists $options->{headers}{'access-control-allow-credentials'},
		'and no cookies with it';
	like $options->{headers}{'access-control-allow-methods'}, qr/POST/, 'methods';
	is $api->ask('OPTIONS', $_, as => '')->answer->{status}, 204, "OPTIONS of $_"
		for "$nsid.noSuchMethod", '/nothing';
};

subtest 'a connection serves many requests' => sub {
	my $connection = $api->connect;
	for (1 .. 50) {
		is $api->ask('GET', "$nsid.getBackfillStatus?id=$done", on => $connection)
			->answer->{status}, 200, "request $_" or last;
		next if $_ % 10;
		refused($api->ask('POST', "$nsid.triggerBackfill", on => $connection,
			body => { type => 'X' })->answer, 400, 'InvalidBackfillType', 'an error');
	}
};

$api->finish;

subtest 'only pages of the listed origins may read' => sub {
	my $listed = Backfilld::Api->new(settings => {
		cors_origins => 'https://admin.example http://localhost:5173' });
	$listed->start;
	for my $method ('GET', 'OPTIONS') {
		for my $origin ('https://admin.example', 'https://evil.example', undef) {
			my $answer = $listed->ask($method, "$nsid.getBackfillStatus",
				headers => { $origin ? (Origin => $origin) : () })->answer;
			my $allowed = $answer->{headers}{'access-control-allow-origin'};
			is $allowed, $origin && $origin =~ /admin/ ? $origin : undef,
				"$method from " . ($origin // 'no page');
			is $answer->{headers}{vary}, 'Origin', 'caches are told';
			ok !exists $answer->{headers}{'access-control-allow-credentials'},
				'no cookies';
		}
	}
	$listed->finish;
};

subtest 'the other spelling, another authority, and no password' => sub {
	my $other = Backfilld::Api->new(settings => {
		type_spelling => 'camel', authority => 'org.example.jobs' });
	my ($id) = $other->fill('create pds-scan admin');
	$other->start;
	is $other->get("/xrpc/org.example.jobs.getBackfillStatus?id=$id")
		->{json}{operation}{type}, 'pdsScan', 'camelCase';
	refused($other->get("$nsid.getBackfillStatus"), 501, 'MethodNotImplemented',
		'the default authority');
	$other->finish;

	my $open = Backfilld::Api->new(settings => { admin_password => '' });
	$open->start;
	my $answer = $open->get("$nsid.getBackfillStatus", as => [ 'admin', '' ]);
	refused($answer, 401, 'AuthenticationRequired', 'no password configured');
	like $answer->{json}{message}, qr/admin_password/, 'says what to configure';
	$open->finish;
};

done_testing;
