# The dashboard without a browser: who is let in, that another site can do nothing,
# that hostile text stays text, and that everything works without a script.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Api;

my $api = Backfilld::Api->new;
my $nasty = '<script>alert(1)</script>&"\'';
my ($done, $failed, $running, $queued) = $api->fill('create did-sync admin did:web:example.com',
	'create pds-scan did:plc:ewvi7nxzyoun6zhxrhs64oiz',
	"create did-sync $nasty did:web:b.example", 'create freshness-scan admin');
$api->fill("start $done", "progress $done 200 200", "complete $done",
	"start $failed", "fail $failed $nasty", "start $running", "progress $running 50 200");
$api->start;

my %here = (Host => 'backfill.example', Origin => 'http://backfill.example',
	'Sec-Fetch-Site' => 'same-origin');

sub form {
	my ($path, $fields, %headers) = @_;
	my $body = join '&', map { "$_=" . escape($fields->{$_}) } sort keys %$fields;
	return $api->post($path, $body, as => '', headers => { %here,
		'Content-Type' => 'application/x-www-form-urlencoded', %headers });
}

sub escape { return $_[0] =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger }

sub page {
	my ($path, %headers) = @_;
	return $api->get($path, as => '', headers => { Host => 'backfill.example', %headers });
}

subtest 'without a session every page leads to the login' => sub {
	my $answer = page('/');
	is $answer->{status}, 303, 'the first page';
	is $answer->{headers}{location}, '/login', 'to the login';
	is page("/op/$done")->{headers}{location}, "/login?next=/op/$done", 'and back again';
	is page('/op/%2F%2Fevil')->{headers}{location}, '/login', 'only to pages of ours';
	is form('/start', { type => 'pds-scan' })->{headers}{location}, '/login', 'a form';
	my $login = page('/login?next=//evil.example/');
	like $login->{body}, qr/name="next" value="\/"/, 'no other place to go to';
	like $login->{body}, qr/type="password"/, 'asks for the password';
};

subtest 'the wrong password is refused' => sub {
	my $answer = form('/session', { secret => 'wrong' });
	is $answer->{status}, 401, 'status 401';
	ok !$answer->{headers}{'set-cookie'}, 'no cookie';
	like $answer->{body}, qr/role="alert"/, 'and says so';
	ok !$answer->{headers}{'www-authenticate'}, 'without the browser\'s own question';
	is form('/session', { secret => $Backfilld::Api::PASSWORD },
		'Sec-Fetch-Site' => 'cross-site')->{status}, 403, 'another site cannot log in';
};

my $login = form('/session', { secret => $Backfilld::Api::PASSWORD, next => "/op/$done" });
is $login->{status}, 303, 'the right one is let in';
is $login->{headers}{location}, "/op/$done", 'to where it wanted to go';
my ($cookie) = $login->{headers}{'set-cookie'} =~ /^(backfilld=[0-9a-f]{64}); Path=\/; HttpOnly; SameSite=Strict/;
ok $cookie, 'with a cookie of 256 bits';
my @session = (Cookie => "theme=dark; $cookie");
my ($token) = page('/', @session)->{body} =~ /data-form-token="([0-9a-f]{64})"/;
ok $token, 'and a form token';

like form('/session', { secret => $Backfilld::Api::PASSWORD },
	Origin => 'https://backfill.example')->{headers}{'set-cookie'}, qr/; Secure\b/,
	'behind TLS the cookie stays behind it';

subtest 'what a browser may do with a page is little' => sub {
	my $answer = page('/', @session);
	my $csp = $answer->{headers}{'content-security-policy'};
	like $csp, qr/^default-src 'none'; script-src 'self'; style-src 'self'/, 'the policy';
	unlike $csp, qr/unsafe/, 'nothing unsafe';
	like $csp, qr/frame-ancestors 'none'/, 'no frame';
	is $answer->{headers}{'x-content-type-options'}, 'nosniff', 'no sniffing';
	is $answer->{headers}{'cache-control'}, 'no-store', 'nothing kept';
	unlike $answer->{body}, qr/<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!\/)/,
		'nothing from elsewhere';
	unlike $answer->{body}, qr/\s(?:style|on\w+)="/, 'no style or script in attributes';
	unlike $answer->{body}, qr/<style|<script(?! src=)/, 'nor between tags';
	for my $name (qw(app.js style.css icon.svg)) {
		my $asset = page("/assets/$name");
		is $asset->{status}, 200, $name;
		is page("/assets/$name", 'If-None-Match' => $asset->{headers}{etag})->{status}, 304,
			'once';
		unlike $asset->{body}, qr{https?://(?!www\.w3\.org)}, 'names no other host';
	}
	is page('/assets/../main.c')->{status}, 404, 'nothing else';
	is page('/assets/x')->{status}, 404, 'nor anything unknown';
};

subtest 'the pages show it all without a script' => sub {
	my $home = page('/', @session)->{body};
	like $home, qr/<progress[^>]*value="25"/, 'how far it is';
	like $home, qr/50 of 200 records/, 'in figures';
	like $home, qr/href="\/op\/$failed"/, 'the history';
	like $home, qr/Waiting <span class="count">1</, 'what waits';
	unlike page('/?status=completed', @session)->{body}, qr/href="\/op\/$failed"/, 'a filter';
	like page('/?status=failed&type=pds-scan', @session)->{body}, qr/href="\/op\/$failed"/,
		'two';
	like page('/?status=&type=', @session)->{body}, qr/href="\/op\/$failed"/, 'none';
	my ($past) = page('/?status=cancelled', @session)->{body} =~ /id="past"(.*)/s;
	like $past, qr/No operation matches/, 'what nothing is like';
	like $past, qr/<tbody><\/tbody>/, 'has a table that is empty to the style sheet, too';
	my $wrong = page('/?status=nonsense', @session);
	is $wrong->{status}, 400, 'a filter that is none';
	like $wrong->{body}, qr/<h1>There is no such list/, 'is a page';
	my $op = page("/op/$done", @session)->{body};
	like $op, qr/<h1>DID sync<\/h1>/, 'an operation';
	like $op, qr/>completed</, 'its status';
	like $op, qr/class="events"/, 'its story';
	like $op, qr/Run again/, 'to be run again';
	is page('/op/3zzzzzzzzzzz2', @session)->{status}, 404, 'one that is not there';
	is page('/op/%3Cscript%3E', @session)->{status}, 404, 'nor that';
};

subtest 'hostile text stays text' => sub {
	for my $path ('/', "/op/$failed", "/op/$running") {
		my $body = page($path, @session)->{body};
		unlike $body, qr/<script>alert/, "$path: no script";
		like $body, qr/&lt;script&gt;alert\(1\)/, "$path: as text" if $path ne '/'
			|| $body =~ /alert/;
	}
	unlike page('/?status=%3Cscript%3Ealert(1)', @session)->{body}, qr/<script>alert/,
		'not from the query';
};

subtest 'more pages' => sub {
	$api->fill('many 60 did-sync');
	my $body = page('/', @session)->{body};
	my ($next, $pages) = ('/', 0);
	my %seen;
	while (defined $next && ++$pages < 10) {
		$body = page($next, @session)->{body};
		my ($past) = $body =~ /id="past"(.*)/s;
		$seen{$1}++ while $past =~ /href="\/op\/(\w+)"/g;
		($next) = $past =~ /rel="next" href="([^"#]*)/;
		$next =~ s/&amp;/&/g if defined $next;
	}
	is scalar keys %seen, 62, 'all that has ended is listed';
	is scalar(grep { $_ != 1 } values %seen), 0, 'once each';
};

subtest 'a form starts an operation' => sub {
	my $waiting = ask_form('/start', { type => 'did-sync', did => 'did:web:example.com',
		form_token => $token, batchSize => '' });
	my $trigger = $api->expect('trigger');
	is $trigger->{type}, 'did-sync', 'of its type';
	is $trigger->{did}, 'did:web:example.com', 'with its parameters';
	is $trigger->{started_by}, 'admin', 'by who has logged in';
	$api->tell('op', req => $trigger->{req}, op => { id => $running, type => 'did-sync',
		status => 1, created_ms => 1 });
	my $answer = $waiting->answer;
	is $answer->{status}, 303, 'and leads';
	is $answer->{headers}{location}, "/op/$running?told=started", 'to its page';
	like page("/op/$running?told=started", @session)->{body}, qr/It is accepted/, 'which says so';

	$waiting = ask_form('/start', { type => 'did-sync', did => 'did:web:example.com',
		form_token => $token });
	$trigger = $api->expect('trigger');
	$api->tell('error', req => $trigger->{req}, name => 'BackfillInProgress', text => 'busy',
		id => $running);
	is $waiting->answer->{headers}{location}, "/op/$running?told=busy",
		'one that is under way is shown';
	$waiting = ask_form('/start', { type => 'governance-sync', form_token => $token });
	$trigger = $api->expect('trigger');
	$api->tell('error', req => $trigger->{req}, name => 'QueueFull', text => "full: $nasty");
	$answer = $waiting->answer;
	is $answer->{status}, 503, 'a refusal';
	like $answer->{body}, qr/full: &lt;script/, 'is a page with the reason';
};

sub ask_form {
	my ($path, $fields) = @_;
	my $body = join '&', map { "$_=" . escape($fields->{$_}) } sort keys %$fields;
	return $api->ask('POST', $path, as => '', body => $body, headers => { %here, @session,
		'Content-Type' => 'application/x-www-form-urlencoded' });
}

subtest 'what is wrong in a form is said, and what costs is asked for first' => sub {
	for my $case ([ { type => 'did-sync', did => 'x' }, qr/valid did/ ],
		[ { type => 'did-sync' }, qr/did/ ], [ { type => 'NOPE' }, qr/no type/ ],
		[ { type => 'pds-scan', pdsUrl => 'ftp://x' }, qr/URL/ ],
		[ { type => 'full-reindex', batchSize => '0', sure => 'yes' }, qr/less than 1/ ],
		[ { type => 'full-reindex', batchSize => 'x', sure => 'yes' }, qr/integer/ ],
		[ { type => 'did-sync', did => 'did:web:a.example', uri => 'at://did:web:a.example' }, qr/uri/ ]) {
		my ($fields, $text) = @$case;
		my $answer = form('/start', { %$fields, form_token => $token }, @session);
		is $answer->{status}, 400, "status 400: $text";
		like $answer->{body}, $text, 'the reason';
		unlike $answer->{body}, qr/Input\//, 'in words for people';
	}
	for my $type (qw(pds-scan freshness-scan full-reindex full-sync citation-extraction)) {
		my $answer = form('/start', { type => $type, form_token => $token }, @session);
		is $answer->{status}, 200, "$type: asked first";
		like $answer->{body}, qr/name="sure" value="yes"/, 'by a form';
	}
	ok $api->heard_nothing, 'nothing was started';
	my $waiting = ask_form('/start', { type => 'full-sync', sure => 'yes',
		form_token => $token });
	is $api->expect('trigger')->{type}, 'full-sync', 'who is sure starts it';
	$waiting->close;
};

subtest 'a form cancels, pauses and resumes' => sub {
	my $waiting = ask_form("/op/$running/cancel", { form_token => $token });
	my $cancel = $api->expect('cancel');
	is $cancel->{id}, $running, 'this one';
	is $cancel->{by}, 'admin', 'by who has logged in';
	$api->tell('cancelled', req => $cancel->{req}, success => 0, status => 'completed',
		text => 'too late');
	is $waiting->answer->{headers}{location}, "/op/$running?told=completed",
		'and tells what became of it';
	like page("/op/$running?told=completed", @session)->{body}, qr/too late to cancel/,
		'in words';
	for my $verb (qw(pause resume)) {
		$waiting = ask_form("/op/$running/$verb", { form_token => $token });
		my $asked = $api->expect($verb);
		is $asked->{id}, $running, $verb;
		$api->tell('op', req => $asked->{req}, op => { id => $running, type => 'did-sync',
			status => 2, paused_ms => $verb eq 'pause' ? 5 : 0, created_ms => 1 });
		is $waiting->answer->{headers}{location}, "/op/$running?told=${verb}d", 'is done';
	}
};

subtest 'another site can do nothing with the cookie' => sub {
	my $fields = { type => 'governance-sync', form_token => $token };
	for my $case ([ 'a foreign origin', Origin => 'https://evil.example', 'Sec-Fetch-Site' => 'cross-site' ],
		[ 'a sibling', 'Sec-Fetch-Site' => 'same-site' ],
		[ 'an origin alone', 'Sec-Fetch-Site' => 'same-origin', Origin => 'https://evil.example' ],
		[ 'no origin to speak of', Origin => 'null' ],
		[ 'the name as a part', Origin => 'http://backfill.example.evil.example' ]) {
		my ($what, %headers) = @$case;
		is form('/start', $fields, @session, %headers)->{status}, 403, $what;
		is $api->post('/xrpc/pub.chive.admin.triggerBackfill', { type => 'governance-sync' },
			as => '', headers => { %here, @session, 'X-Form-Token' => $token, %headers })
			->{status}, 403, "$what: XRPC";
	}
	for my $wrong ('', 'x', $token =~ tr/0-9a-f/1-9a-f0/r) {
		is form('/start', { %$fields, form_token => $wrong }, @session)->{status}, 403,
			"the form token '$wrong'";
		is $api->post('/xrpc/pub.chive.admin.triggerBackfill', { type => 'governance-sync' },
			as => '', headers => { %here, @session, $wrong ? ('X-Form-Token' => $wrong) : () })
			->{status}, 403, 'and in its header';
	}
	is form('/start', $fields, Cookie => 'backfilld=' . '0' x 64)->{status}, 303, 'no session';
	is $api->post('/start', "type=governance-sync&form_token=$token", headers => { %here,
		'Content-Type' => 'application/x-www-form-urlencoded' })->{status}, 303,
		'a form takes no password that a browser sends by itself';
	ok $api->heard_nothing, 'nothing was started';
};

subtest 'the script may use XRPC with cookie and form token' => sub {
	my $waiting = $api->ask('POST', '/xrpc/pub.chive.admin.triggerBackfill', as => '',
		body => { type => 'governanceSync' },
		headers => { %here, @session, 'X-Form-Token' => $token });
	my $trigger = $api->expect('trigger');
	is $trigger->{started_by}, 'admin', 'as who has logged in';
	$api->tell('error', req => $trigger->{req}, name => 'QueueFull', text => 'full');
	is $waiting->answer->{json}{error}, 'QueueFull', 'and gets JSON';
	is page("/xrpc/pub.chive.admin.getBackfillStatus?id=$done", @session)->{status}, 200,
		'reading needs the cookie alone';
	my $events = $api->ask('GET', '/events', as => '', headers => { @session });
	is $events->stream->{status}, 200, 'events, too';
	is page('/events', Cookie => 'backfilld=x')->{status}, 401, 'but not without';
	$events->close;
};

subtest 'the address of a form leads to its page' => sub {
	my %leads = ("/op/$done/cancel" => "/op/$done", '/op/%2F%2Fevil/cancel' => '/',
		'/start' => '/', '/session' => '/');
	for my $path (sort keys %leads) {
		my $answer = page($path, @session);
		is $answer->{status}, 303, "GET $path";
		is $answer->{headers}{location}, $leads{$path}, 'leads there';
	}
};

subtest 'a broken form is an error, not an end' => sub {
	for my $body ('%', 'a=%zz', 'a=%00', 'form_token=%ff', '&' x 100, 'a&' x 33) {
		my $answer = $api->post('/start', $body, as => '', headers => { %here, @session,
			'Content-Type' => 'application/x-www-form-urlencoded' });
		like $answer->{status}, qr/^40[03]$/, "'" . substr($body, 0, 12) . "'";
		like $answer->{headers}{'content-type'}, qr/^text\/html/, 'as a page';
	}
	is form('/start', { type => 'x' x 70000 }, @session)->{status}, 413, 'a long one';
};

subtest 'log out' => sub {
	my $events = $api->ask('GET', '/events', as => '', headers => { @session });
	is $events->stream->{status}, 200, 'a stream by this session';
	is form('/session/end', { form_token => 'x' }, @session)->{status}, 403,
		'not for another site';
	my $answer = form('/session/end', { form_token => $token }, @session);
	is $answer->{headers}{location}, '/login', 'to the login';
	like $answer->{headers}{'set-cookie'}, qr/^backfilld=;.*Max-Age=0/, 'the cookie goes';
	is page('/', @session)->{status}, 303, 'and is worth nothing';
	$api->tell('op', req => $api->{watch}, op => { id => $running, type => 'did-sync',
		status => 2, attempt => 9, created_ms => 1 });
	ok !$events->event, 'the stream ends with its session';
};

subtest 'without the supervisor the pages are still there' => sub {
	my $again = form('/session', { secret => $Backfilld::Api::PASSWORD });
	my ($new) = $again->{headers}{'set-cookie'} =~ /^(backfilld=\w+)/;
	$api->hang_up;
	my $body = '';
	Backfilld::Process::wait_for { ($body = page('/', Cookie => $new)->{body})
		=~ /supervisor does not answer/ } 20, 'the notice';
	like $body, qr/50 of 200 records/, 'with what is known';
	my ($form_token) = $body =~ /data-form-token="(\w+)"/;
	is form('/start', { type => 'governance-sync', form_token => $form_token },
		Cookie => $new)->{status}, 503, 'nothing can be started';
};

$api->finish;
done_testing;
