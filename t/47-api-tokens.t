# The API with service-auth tokens: those that the reference mints, roles, replay,
# rotated keys, a resolver that is gone, throttling, the audit log; then through a
# real PDS.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;

use Backfilld::Net;
use Backfilld::NullOp;
use Backfilld::RawHttp;
use Backfilld::Test;
use Backfilld::Tokens;

my $net = Backfilld::Net->get;
my $tokens = Backfilld::Tokens->new($net);
my ($alice, $paul, $viewer, $other) = map { $tokens->account($_) }
	qw(k256 p256 k256 k256);
my ($owner) = $net->seed(accounts => 1, records => 0);

# A did:web with a port is for localhost alone, and the port has to be known before
# the daemon is there.
my $port = do {
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
	$socket->sockport;
};
my $own = "did:web:localhost%3A$port";
my $daemon = Backfilld::Test->new(net => $net, settings => {
	libexec_dir => null_op_libexec(), http_listen => "127.0.0.1:$port",
	public_url => "http://localhost:$port", auth_failures_per_minute => 20,
	admins => [ $alice, $paul, $owner->did ], viewers => [$viewer] });
$daemon->start;

sub lxm { return "pub.chive.admin.$_[0]" }

sub mint {
	my ($did, $method, %more) = @_;
	return $tokens->mint(did => $did, aud => $own, lxm => lxm($method), %more);
}

sub bearer { return (as => '', headers => { authorization => "Bearer $_[0]" }) }

sub list_with {
	my ($token) = @_;
	return $daemon->xrpc_get('getBackfillStatus', {}, bearer($token));
}

sub refused {
	my ($answer, $status, $error, $reason, $what) = @_;
	is $answer->{status}, $status, "$what: $status" or diag $answer->{content};
	is $answer->{json}{error}, $error, "$what: $error";
	is $answer->{json}{reason}, $reason, "$what: $reason" if $reason;
}

# The API serves as soon as it is there; tokens it can check a moment later.
wait_for { list_with(mint($alice, 'getBackfillStatus'))->{status} != 503 } 60,
	'the resolver';

subtest 'a token of an admin lets in' => sub {
	is list_with(mint($alice, 'getBackfillStatus'))->{status}, 200, 'ES256K';
	is list_with(mint($paul, 'getBackfillStatus'))->{status}, 200, 'ES256';
	is list_with(mint($alice, 'getBackfillStatus', aud => "$own#backfill"))->{status},
		200, 'for the service by its id';
	my $answer = $daemon->xrpc_post('triggerDIDSync', { did => null_op_did('run') },
		bearer(mint($alice, 'triggerDIDSync')));
	is $answer->{status}, 200, 'a trigger';
	my $id = $answer->{json}{operationId};
	is $daemon->operation($id)->{startedBy}, $alice, 'startedBy is the DID';
	$answer = $daemon->xrpc_post('cancelBackfill', { id => $id },
		bearer(mint($paul, 'cancelBackfill')));
	is $answer->{json}{success}, JSON::PP::true, 'a cancel';
	is $daemon->operation($id)->{cancelledBy}, $paul, 'cancelledBy is the DID';
	like $daemon->log, qr/audit: from=127\.0\.0\.1 who=$alice did=triggerDIDSync status=200 op=$id$/m,
		'the log says who started it';
	like $daemon->log, qr/audit: from=127\.0\.0\.1 who=$paul did=cancelBackfill status=200 op=$id$/m,
		'and who cancelled it';
	$id = $daemon->ctl('trigger', 'did-sync', '--did', null_op_did('finish'))->{json}{id};
	$daemon->wait_log(qr/audit: from=control who="uid $<" did=trigger op=$id$/m);
	pass 'and what comes over the control socket';
};

subtest 'the reference reads the same tokens as we do' => sub {
	my $token = mint($alice, 'getBackfillStatus');
	my $read = $tokens->read(token => $token, own => $own,
		lxm => lxm('getBackfillStatus'));
	is $read->{payload}{iss}, $alice, 'a good one';
	my %claims = (
		JwtExpired => { exp => time - 60, iat => time - 120 },
		BadJwtAudience => { aud => 'did:web:other.test' },
		BadJwtLexiconMethod => { lxm => lxm('cancelBackfill') },
		BadJwtIss => { iss => "$alice#atproto_labeler" },
	);
	for my $name (sort keys %claims) {
		my $bad = mint($alice, 'getBackfillStatus', %{ $claims{$name} });
		my $theirs = $tokens->read(token => $bad, own => $own,
			lxm => lxm('getBackfillStatus'));
		is $theirs->{error}, $name, "$name: theirs" unless $name eq 'BadJwtIss';
		refused(list_with($bad), 401, 'AuthenticationRequired', $name, 'ours');
	}
};

subtest 'a token is good for one request' => sub {
	my $token = mint($alice, 'getBackfillStatus');
	is list_with($token)->{status}, 200, 'the first time';
	refused(list_with($token), 401, 'AuthenticationRequired', 'JwtReplayed', 'again');
	refused($daemon->xrpc_get('getBackfillHistory', {},
		bearer(mint($alice, 'getBackfillStatus'))), 401, 'AuthenticationRequired',
		'BadJwtLexiconMethod', 'for another method');
};

subtest 'accounts have their roles' => sub {
	is list_with(mint($viewer, 'getBackfillStatus'))->{status}, 200, 'a viewer looks';
	my $answer = $daemon->xrpc_post('triggerPDSScan', {},
		bearer(mint($viewer, 'triggerPDSScan')));
	refused($answer, 403, 'AdminRequired', undef, 'a viewer triggers');
	$answer = $daemon->xrpc_post('cancelBackfill', { id => '3kaaaaaaaaa2a' },
		bearer(mint($viewer, 'cancelBackfill')));
	refused($answer, 403, 'AdminRequired', undef, 'a viewer cancels');
	refused(list_with(mint($other, 'getBackfillStatus')), 403, 'AdminRequired', undef,
		'an account on no list');
	$daemon->wait_log(qr/audit: from=127\.0\.0\.1 claimed=$other tried=getBackfillStatus status=403$/m);
	$daemon->set(viewers => [ $viewer, $other ]);
	$daemon->signal('HUP');
	wait_for { list_with(mint($other, 'getBackfillStatus'))->{status} == 200 } 60,
		'a reload to count';
	pass 'a reload makes it a viewer';
};

sub log_in {
	my ($token) = @_;
	return HTTP::Tiny->new(timeout => 60, max_redirect => 0)->post_form(
		$daemon->url . '/session', { secret => $token });
}

subtest 'a token logs in to the dashboard' => sub {
	for my $case ([ viewer => $viewer, 403 ], [ admin => $alice, 200 ]) {
		my ($role, $did, $status) = @$case;
		my $answer = log_in(mint($did, 'startSession'));
		is $answer->{status}, 303, "the $role gets in" or diag $answer->{content};
		my ($cookie) = $answer->{headers}{'set-cookie'} =~ /^([^;]+)/;
		my %with = (as => '', headers => { cookie => $cookie });
		is $daemon->xrpc_get('getBackfillStatus', {}, %with)->{status}, 200, 'may look';
		my ($token) = $daemon->get('/', %with)->{content}
			=~ /data-form-token="([0-9a-f]{64})"/;
		$with{headers}{'X-Form-Token'} = $token;
		$answer = $daemon->xrpc_post('triggerDIDSync',
			{ did => null_op_did('finish') }, %with);
		is $answer->{status}, $status, "a trigger: $status";
		is $daemon->operation($answer->{json}{operationId})->{startedBy}, $did,
			'startedBy is the DID' if $status == 200;
	}
	is log_in(mint($alice, 'getBackfillStatus'))->{status}, 401,
		'a token for something else';
	my $stranger = $tokens->account('k256');
	is log_in(mint($stranger, 'startSession'))->{status}, 403, 'a stranger';
};

subtest 'a key that was rotated is noticed, and the old one no good any more' => sub {
	is list_with(mint($alice, 'getBackfillStatus'))->{status}, 200, 'known by its key';
	$tokens->rotate($alice);
	is list_with(mint($alice, 'getBackfillStatus'))->{status}, 200,
		'the new key is looked for';
	refused(list_with(mint($alice, 'getBackfillStatus', stale => \1)), 401,
		'AuthenticationRequired', 'BadJwtSignature', 'the old key');
	refused(list_with(mint($paul, 'getBackfillStatus', iss => $alice)), 401,
		'AuthenticationRequired', 'BadJwtSignature', 'another account\'s key');
	$tokens->rotate($alice);
	refused(list_with(mint($alice, 'getBackfillStatus')), 401,
		'AuthenticationRequired', 'BadJwtSignature',
		'rotated again within the minute: not looked for again');
};

subtest 'who fails too often from one address has to wait' => sub {
	my $answer;
	for (1 .. 40) {
		$answer = $daemon->get('/xrpc/pub.chive.admin.getBackfillStatus',
			as => [ 'admin', 'guess' ]);
		last if $answer->{status} != 401;
	}
	refused($answer, 429, 'RateLimitExceeded', undef, 'a password');
	like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'Retry-After';
	is $daemon->get('/xrpc/pub.chive.admin.getBackfillStatus')->{status}, 429,
		'the right one, too: nobody learns that it is right';
	my $stranger = $tokens->account('k256');
	refused(list_with(mint($stranger, 'getBackfillStatus')), 429, 'RateLimitExceeded',
		undef, 'an account on no list');
	is list_with(mint($paul, 'getBackfillStatus'))->{status}, 200,
		'an admin\'s token is not held up';
};

subtest 'without the resolver no token is taken' => sub {
	my $old = $daemon->wait_child('backfill-resolver');
	$daemon->expect_error(qr/backfill-resolver: process $old was killed/);
	my $token = mint($paul, 'getBackfillStatus');
	my $waiting = Backfilld::RawHttp->new($daemon->http_address);
	kill 'STOP', $old;
	$waiting->ask('GET', '/xrpc/' . lxm('getBackfillStatus'),
		{ Authorization => "Bearer $token" });
	is $daemon->get('/livez')->{status}, 200, 'others are served meanwhile';
	kill 'KILL', $old;
	my $answer = $waiting->answer;
	refused($answer, 503, 'IdentityUnavailable', undef, 'a request that waits');
	ok $answer->{headers}{'retry-after'}, 'Retry-After';
	wait_for { list_with(mint($paul, 'getBackfillStatus'))->{status} == 200 } 60,
		'a new resolver';
	pass 'a new one is used by itself';
};

subtest 'the DID document says where the service is' => sub {
	my $document = $daemon->get('/.well-known/did.json', as => '')->{json};
	is $document->{id}, $own, 'of whom';
	is_deeply $document->{service}, [ { id => '#backfill',
		type => 'BackfillAdminService',
		serviceEndpoint => "http://localhost:$port" } ], 'where';
};

# --- a real PDS ---

my $session = $owner->call('POST', 'com.atproto.server.createSession',
	{ identifier => $owner->did, password => $owner->{password} });
my %as_owner = (authorization => "Bearer $session->{accessJwt}");

subtest 'a token from getServiceAuth is taken' => sub {
	my $token = $owner->call('GET', 'com.atproto.server.getServiceAuth',
		{ aud => $own, lxm => lxm('getBackfillStatus') }, \%as_owner)->{token};
	my $answer = list_with($token);
	is $answer->{status}, 200, 'made by the PDS' or diag $answer->{content};
};

sub through_pds {
	my ($method, $nsid, $body) = @_;
	my %options = (headers => { %as_owner, 'atproto-proxy' => "$own#backfill" });

	if ($body) {
		$options{content} = JSON::PP->new->utf8->encode($body);
		$options{headers}{'content-type'} = 'application/json';
	}
	my $answer = HTTP::Tiny->new(timeout => 60)->request($method,
		$owner->pds . '/xrpc/' . lxm($nsid), \%options);
	$answer->{json} = eval { JSON::PP->new->utf8->decode($answer->{content}) };
	return $answer;
}

subtest 'a PDS proxies to the service, and its user is the admin' => sub {
	my $answer = through_pds('GET', 'getBackfillStatus');
	is $answer->{status}, 200, 'a query' or diag $answer->{content};
	ok ref $answer->{json}{operations}, 'with its answer';
	$answer = through_pds('POST', 'triggerDIDSync', { did => null_op_did('finish') });
	is $answer->{status}, 200, 'a procedure' or diag $answer->{content};
	my $operation = through_pds('GET', "getBackfillStatus?id=$answer->{json}{operationId}")
		->{json}{operation};
	is $operation->{startedBy}, $owner->did, 'startedBy is the user of the PDS';
};

$daemon->finish;
done_testing;
