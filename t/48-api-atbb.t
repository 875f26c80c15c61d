# atBB's routes: what they answer is what atBB's own answer, gap detection included.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Api;

my $path = '/api/admin/backfill';
my $relay = 'https://relay.example';
my $did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';

sub started {
	my ($api, $query, $type) = @_;
	my $waiting = $api->ask('POST', "$path$query",
		headers => { 'Content-Type' => 'application/json', 'Content-Length' => 0 });
	my $trigger = $api->expect('trigger');
	is $trigger->{type}, $type, "POST $query: $type is asked for";
	$api->tell('op', req => $trigger->{req}, op => { id => '3migo7fijwi2k',
		type => $type, status => 1, created_ms => 1700000000123,
		started_by => 'admin' });
	my $answer = $waiting->answer;
	is $answer->{status}, 202, 'status 202';
	is_deeply $answer->{json}, { message => 'Backfill started', type => $type =~ tr/-/_/r,
		status => 'in_progress', id => '1817646836437891088',
		operationId => '3migo7fijwi2k' }, 'the answer';
}

# An API whose index has these things in it.
sub api_with {
	my ($what, @commands) = @_;
	my $api = Backfilld::Api->new(settings => { relay_url => "$relay/",
		backfill_cursor_max_age_hours => 48 });
	$api->fill_records(@commands);
	note $what;
	return $api->start;
}

use constant HOUR_MS => 3600 * 1000;

subtest 'gap detection: what is needed is started' => sub {
	my $api = api_with('nothing was ever indexed');
	started($api, '', 'full-sync');
	$api->finish;

	$api = api_with('repositories, but no position', "repo $did");
	started($api, '', 'full-sync');
	$api->finish;

	$api = api_with('the position of another relay', "repo $did",
		'relay https://other.example 0');
	started($api, '', 'full-sync');
	$api->finish;

	$api = api_with('a position, but an empty index', "relay $relay 0");
	started($api, '', 'full-sync');
	$api->finish;

	$api = api_with('an old position', "repo $did",
		"relay $relay " . 49 * HOUR_MS);
	started($api, '', 'catch-up');
	started($api, '?force=nonsense', 'catch-up');
	started($api, '?force=full_sync', 'full-sync');
	$api->finish;
};

subtest 'gap detection: what is not needed is not' => sub {
	my $api = api_with('a recent position', "repo $did",
		"relay $relay " . 47 * HOUR_MS);
	for my $query ('', '?force=', '?force=FULL_SYNC') {
		my $answer = $api->post("$path$query", undef);
		is $answer->{status}, 200, "POST $query: 200";
		is_deeply $answer->{json}, { message => 'No backfill needed. Use '
			. '?force=catch_up or ?force=full_sync to override.' }, 'and why';
	}
	ok $api->heard_nothing, 'nothing was asked of the supervisor';
	$api->tell('setting', name => 'backfill_cursor_max_age_hours', value => '1');
	# What is answered to these is heard behind the setting: it holds afterwards.
	started($api, '?force=catch_up', 'catch-up');
	started($api, '?force=full_sync', 'full-sync');
	started($api, '', 'catch-up');
	$api->finish;
};

subtest 'facts that cannot be had are an error, not a full sync' => sub {
	my $api = Backfilld::Api->new;		# without records/
	$api->start;
	my $answer = $api->post($path, undef);
	is $answer->{status}, 500, 'status 500';
	ok $api->heard_nothing, 'and nothing is started';
	started($api, '?force=full_sync', 'full-sync');
	$api->finish;
};

my $api = Backfilld::Api->new;
my ($done, $failed, $cancelled) = $api->fill("create full-sync $did",
	'create catch-up admin', 'create full-sync admin did:web:example.com');
$api->fill("start $done", "progress $done 7 9", "item $done $did",
	"item $done at://$did/app.bsky.feed.post/3kabc", "complete $done",
	"start $failed", "fail $failed it-broke", "start $cancelled",
	"cancel $cancelled admin");
$api->start;

sub number {
	my ($tid) = @_;
	my $digits = '234567abcdefghijklmnopqrstuvwxyz';
	my $number = 0;
	$number = $number * 32 + index $digits, $_ for split //, $tid;
	return "$number";
}

subtest 'GET :id tells of one' => sub {
	my $answer = $api->get("$path/" . number($done));
	is $answer->{status}, 200, 'status 200';
	like delete $answer->{json}{$_}, qr/^\d{4}-\d\d-\d\dT/, $_
		for qw(startedAt completedAt);
	is_deeply $answer->{json}, { id => number($done), status => 'completed',
		type => 'full_sync', didsTotal => 9, didsProcessed => 7, recordsIndexed => 0,
		errorCount => 2, errorMessage => undef, operationId => $done }, 'completed';
	$answer = $api->get("$path/" . number($failed))->{json};
	is $answer->{status}, 'failed', 'failed';
	is $answer->{type}, 'catch_up', 'catch_up';
	is $answer->{errorMessage}, 'it-broke', 'why';
	$answer = $api->get("$path/" . number($cancelled))->{json};
	is $answer->{status}, 'failed', 'one that was cancelled has failed';
	is $answer->{errorMessage}, 'cancelled', 'and says why';
};

subtest 'GET :id/errors tells what could not be done, the oldest first' => sub {
	my $answer = $api->get("$path/" . number($done) . '/errors');
	is $answer->{status}, 200, 'status 200';
	my @errors = @{ $answer->{json}{errors} };
	like delete $_->{createdAt}, qr/^\d{4}-\d\d-\d\dT/, 'createdAt' for @errors;
	ok length delete $_->{errorMessage}, 'errorMessage' for @errors;
	is_deeply \@errors, [ { id => '1', did => $did, collection => undef },
		{ id => '2', did => $did, collection => 'app.bsky.feed.post' } ], 'the errors';
	is_deeply $api->get("$path/" . number($failed) . '/errors')->{json},
		{ errors => [] }, 'none';
};

subtest 'what is not there' => sub {
	for my $id ('abc', $done, '-1', '1.5', '99999999999999999999') {
		is $api->get("$path/$id")->{status}, 400, "$id: 400";
	}
	for my $id (1, '18446744073709551615') {
		is $api->get("$path/$id")->{status}, 404, "$id: 404";
		is $api->get("$path/$id/errors")->{status}, 404, "$id/errors: 404";
	}
	is $api->get("$path/1/other")->{status}, 404, 'another path';
	is $api->get($path)->{status}, 400, 'GET without an id';
};

subtest 'one at a time' => sub {
	my ($running) = $api->fill('create catch-up admin');
	for my $query ('', '?force=full_sync') {
		my $answer = $api->post("$path$query", undef);
		is $answer->{status}, 409, "POST $query: 409";
		is $answer->{json}{id}, number($running), 'it says which one runs';
	}
	is $api->get("$path/" . number($running))->{json}{status}, 'in_progress', 'queued';
	is $api->get("$path/" . number($running))->{json}{completedAt}, undef, 'not completed';
	$api->fill("start $running");
	is $api->post($path, undef)->{status}, 409, 'running';
	$api->fill("complete $running", 'create did-sync admin');
	started($api, '?force=catch_up', 'catch-up');
};

subtest 'without authentication' => sub {
	is $api->post($path, undef, as => '')->{status}, 401, 'POST';
	is $api->get("$path/" . number($done), as => '')->{status}, 401, 'GET';
	is $api->get("$path/" . number($done) . '/errors', as => '')->{status}, 401, 'errors';
	ok $api->heard_nothing, 'nothing was asked of the supervisor';
};

$api->finish;
done_testing;
