# Servers that misbehave in every way of the fault matrix, rows F75 to F78, F80, F81, F84,
# F85, F94 and F95, met by scans of many repositories: the operation says the truth, the
# index keeps what it had, and the good server beside is done.
#
# Rows of the network's own machinery, F73, F74, F82, F83 and F86, are in
# t/37-hostile-network.t, F79 is in t/37-cut-transfers.t, F96 in t/35-citation-faults.t.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::FakePeer;
use Backfilld::Prometheus;
use Backfilld::Scans;
use Backfilld::Test;

use constant { BAD => 1, GOOD => 2, REPOS => 8 };

my $peer = Backfilld::FakePeer->start(hosts => 2);
my $daemon = Backfilld::Test->new(net => $peer, settings => {
	hosts => [ $peer->pds_url(BAD), $peer->pds_url(GOOD) ],
	host_requests_per_s => 1000, repo_max_bytes => 64 << 20, fetch_retries => 1, fetch_timeout_ms => 4000,
	host_patience_ms => 1000, rate_limit_patience_ms => 60_000,
	map { ("freshness_${_}_ms" => 0) } qw(urgent recent normal background) });
$daemon->start;
my $first = $peer->add(count => REPOS, host => BAD);
$peer->add(count => REPOS, host => GOOD);
run_scan($daemon, 'pds-scan');

sub statuses {
	return { map { $_->{did} => "$_->{rev} $_->{status}" }
		@{ $daemon->ctl('repos')->{lines} } };
}

# All repositories have changed, and this is what the bad host does.
sub with_fault {
	my ($name, $expect, @faults) = @_;
	subtest $name => sub {
		my $before = statuses();
		$peer->set(number => 0, count => 2 * REPOS, touch => 1);
		$peer->fault(%$_) for @faults;
		my $operation = run_scan($daemon, 'pds-scan');
		$peer->check_faults;
		my $after = statuses();
		my $changed = grep { $before->{ $peer->did($_) } ne $after->{ $peer->did($_) } }
			REPOS .. 2 * REPOS - 1;
		is $changed, REPOS, 'the good host beside is done';
		is_deeply [ grep { !/ active$/ } values %$after ], [], 'nothing is hidden or gone';
		$expect->($operation, items_of($daemon, $operation), $before, $after);
	};
}

# One repository cannot be had, and that is its class.
sub one_item {
	my ($class) = @_;
	return sub {
		my ($operation, $items, $before, $after) = @_;
		is $operation->{status}, 'completed', 'the operation completes';
		is_deeply $items, { $peer->did($first) => $class }, "with one item: $class";
		is $after->{ $peer->did($first) }, $before->{ $peer->did($first) },
			'whose index is as before';
	};
}

sub no_items {
	my ($operation, $items) = @_;
	is $operation->{status}, 'completed', 'the operation completes';
	is_deeply $items, {}, 'without a failed item';
}

# The whole host cannot be listed.
sub host_item {
	my ($class) = @_;
	return sub {
		my ($operation, $items) = @_;
		is $operation->{status}, 'completed', 'the operation completes';
		is_deeply [ values %$items ], [$class], "the host is an item: $class";
	};
}

# What the metrics count of scans.
sub counted {
	my ($family, %labels) = @_;
	return Backfilld::Prometheus->parse($daemon->get('/metrics')->{content})
		->value("backfilld_$family", type => 'pds-scan', %labels) // 0;
}

my %one = (on => 'getRepo', did => $peer->did($first));

with_fault 'F75: 429 with Retry-After is waited for and no failure', \&no_items,
	{ kind => 'status', status => 429, retry_after => 2, host => BAD, times => 2,
		on => 'getRepo', error => 'RateLimitExceeded' };
with_fault 'F75: 429 with RateLimit-Reset', \&no_items,
	{ kind => 'status', status => 429, reset => 2, host => BAD, times => 1,
		on => 'getRepo', error => 'RateLimitExceeded' };
with_fault 'F75: 429 without a header, for the list', \&no_items,
	{ kind => 'status', status => 429, host => BAD, times => 2, on => 'listRepos',
		error => 'RateLimitExceeded' };
wait_for { counted('rate_limited_answers_total') == 2 + 1 + 2 } 30, 'each 429 to be counted';
with_fault 'F76: 503 now and then', \&no_items,
	{ kind => 'status', status => 503, host => BAD, times => 2, on => 'getRepo',
		error => 'Unavailable' };
with_fault 'F77: a byte a second', one_item('timeout'),
	{ kind => 'drip', ms => 1000, %one };
wait_for { counted('item_failures_total', class => 'timeout') == 1 } 30, 'its class, too';
with_fault 'F78: a body that is longer than it was said', one_item('unreachable'),
	{ kind => 'length', after => 1 << 20, %one };
with_fault 'F78: a body whose end is told to be far away', one_item('too-large'),
	{ kind => 'endless', after => 1 << 50, %one };
# The first byte behind the repository is none of one.
with_fault 'F78: a body without an end', one_item('invalid'),
	{ kind => 'endless', %one };
with_fault 'F78: a list without an end, in one body', host_item('too-large'),
	{ kind => 'endless', on => 'listRepos', host => BAD };
with_fault 'F80: a repository that is compressed, and nobody asked', one_item('invalid'),
	{ kind => 'bomb', %one };
with_fault 'F80: a list that is a gzip bomb', host_item('too-large'),
	{ kind => 'bomb', on => 'listRepos', host => BAD };
with_fault 'F81: a redirect in a circle', one_item('invalid'),
	{ kind => 'redirect', to => $peer->pds_url(BAD)
		. '/xrpc/com.atproto.sync.getRepo?did=' . $peer->did($first), %one };
with_fault 'F81: a redirect to a file', one_item('invalid'),
	{ kind => 'redirect', to => 'file:///etc/passwd', %one };
with_fault 'F84: 10,000 headers', one_item('too-large'),
	{ kind => 'headers', after => 10_000, %one };
with_fault 'F84: 10 MB of headers', one_item('too-large'),
	{ kind => 'headers', after => 125_000, %one };
with_fault 'F85: HTML with status 200 instead of a repository', one_item('invalid'),
	{ kind => 'html', to => '<html>', %one };
with_fault 'F85: an error in JSON with status 200', one_item('invalid'),
	{ kind => 'json', to => '{"error":"RepoNotFound","message":"not here"}', %one };
with_fault 'F85: the same instead of a list', host_item('invalid'),
	{ kind => 'json', to => '{"error":"RepoNotFound","message":"not here"}',
		on => 'listRepos', host => BAD };
with_fault 'F85: HTML with status 200 instead of a list', host_item('invalid'),
	{ kind => 'html', to => '<html>', on => 'listRepos', host => BAD };
with_fault 'a list whose cursor comes again and again', sub {
	my ($operation, $items) = @_;
	is_deeply [ values %$items ], ['invalid'], 'the host is an item';
}, { kind => 'json', on => 'listRepos', host => BAD,
	to => '{"cursor":"again","repos":[{"did":"' . $peer->did($first)
		. '","rev":"3lzzzzzzzzzz2","head":"x"}]}' };
with_fault 'a list without an end', host_item('too-large'),
	{ kind => 'endless-list', on => 'listRepos', host => BAD };
with_fault 'a list of nonsense', host_item('invalid'),
	{ kind => 'json', on => 'listRepos', host => BAD, to => '{"repos":[{},7,"did:x"]}' };

subtest 'F94: a key that was rotated, and one that does not fit' => sub {
	$peer->set(number => $first, touch => 1, doc_key => 1, commit_key => 1);
	is_deeply items_of($daemon, run_scan($daemon, 'pds-scan')), {},
		'a new key is found in the document';
	my $before = statuses()->{ $peer->did($first) };
	$peer->set(number => $first, touch => 1, commit_key => 2);
	is_deeply items_of($daemon, run_scan($daemon, 'pds-scan')),
		{ $peer->did($first) => 'invalid' }, 'another that is not there is refused';
	is statuses()->{ $peer->did($first) }, $before, 'the index is as before';
	$peer->set(number => $first, commit_key => 1);
	run_scan($daemon, 'pds-scan');
};

subtest 'F95: a revision in the future, and one that goes back' => sub {
	my $before = statuses()->{ $peer->did($first) };
	$peer->set(number => $first, version => 2_000_000_000);
	is_deeply items_of($daemon, run_scan($daemon, 'pds-scan')),
		{ $peer->did($first) => 'invalid' }, 'the future is refused';
	$peer->set(number => $first, version => 0);
	is_deeply items_of($daemon, run_scan($daemon, 'pds-scan')),
		{ $peer->did($first) => 'invalid' }, 'a scan never goes back';
	is statuses()->{ $peer->did($first) }, $before, 'the index is as before';
	is_deeply items_of($daemon, run_scan($daemon, 'freshness-scan')), {},
		'a freshness-scan believes the server of a fresh document';
};

subtest 'F75: one request at a time finds out, politely' => sub {
	$peer->set(number => 0, count => 2 * REPOS, touch => 1);
	$peer->forget;
	$peer->fault(kind => 'status', status => 429, retry_after => 4, host => BAD,
		times => 1, on => 'getRepo', error => 'RateLimitExceeded');
	run_scan($daemon, 'pds-scan');
	$peer->check_faults;
	my $ledger = $peer->ledger;
	my @at = map { $_->{at_ms} } grep { $_->{host} == BAD && $_->{name} eq 'getRepo' }
		@{ $ledger->{log} };
	my ($gap) = sort { $b <=> $a } map { $at[$_] - $at[ $_ - 1 ] } 1 .. $#at;
	cmp_ok $gap, '>=', 3900, 'nobody asks before the time is over';
	cmp_ok $ledger->{most}[BAD], '<=', 4, 'never more than a handful at a time';
};

$daemon->finish;
$peer->stop;
done_testing;
