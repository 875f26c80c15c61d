# Servers as they are on the public network: TLS, HTTP/2 where it is offered, names and
# public addresses, all settings of a production.  And what HTTP/2 servers do to their
# clients: good-byes in the middle, streams that are refused or broken.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use File::Temp ();
use Test::More;

use Backfilld::FakePeer;
use Backfilld::H2Front;
use Backfilld::Scans;
use Backfilld::ShimNet;
use Backfilld::Test;

# RFC 9113, 7
use constant { INTERNAL_ERROR => 2, REFUSED_STREAM => 7, ENHANCE_YOUR_CALM => 11 };
use constant { PUBLIC => '93.184.0.1', REPOS => 40 };

plan skip_all => 'Node.js is not installed'
	if !$ENV{CI} && !grep { -x "$_/node" } split /:/, $ENV{PATH};

my $peer = Backfilld::FakePeer->start;
my ($pds_port) = $peer->pds_url =~ /:(\d+)$/;
my $front = Backfilld::H2Front->start(port => $pds_port, name => 'pds.example');
my $url = 'https://pds.example:' . $front->port;
my $net = Backfilld::ShimNet->new(workers => [qw(did-sync pds-scan freshness-scan)]);
my $daemon = Backfilld::Test->new(net => $peer, settings => {
	libexec_dir => $net->libexec, hosts => [$url], allow_private_addresses => 'false',
	allow_plain_http => 'false', host_requests_per_s => 1000,
	host_patience_ms => 30_000, identity_cache_ms => 3_600_000,
	map { ("freshness_${_}_ms" => 0) } qw(urgent recent normal background) });

$net->names('pds.example' => PUBLIC);
$peer->add(count => REPOS, records => 20);
$peer->set(number => $_, endpoint => $url) for 0 .. REPOS - 1;
$daemon->start(env => { SSL_CERT_FILE => $front->certificate_file });

sub count { my ($pattern) = @_; return scalar grep { /$pattern/ } $front->ledger }

# One scan while the front does that; all of it has to be done.
sub scan_while {
	my ($what, $type) = @_;
	$front->now($what);
	my $operation = run_scan($daemon, $type);
	is $operation->{status}, 'completed', 'it completes';
	is_deeply items_of($daemon, $operation), {}, 'nothing failed';
	is $operation->{recordsProcessed}, REPOS, 'every repository is done';
	return $operation;
}

subtest 'a first scan' => sub {
	scan_while('calm', 'pds-scan');
	is count(qr/^h2 listRepos/), 1, 'the list came by HTTP/2';
	is count(qr{^http/1\.1 getRepo}), REPOS, 'and the repositories by HTTP/1.1';
	cmp_ok count(qr/^open/), '<=', 3, 'on few connections, again and again';
	is_deeply [ sort map { "$_->{did} $_->{status}" } @{ $daemon->ctl('repos')->{lines} } ],
		[ sort map { $peer->did($_) . ' active' } 0 .. REPOS - 1 ], 'all are indexed';
};

subtest 'many questions, one connection' => sub {
	scan_while('calm', 'freshness-scan');
	is count(qr/^h2 getLatestCommit/), REPOS, 'each is asked for';
	is count(qr/^open/), 1, 'as a stream of the same connection';
};

subtest 'a server that says good-bye after each seven requests' => sub {
	scan_while('goaway 7', 'freshness-scan');
	cmp_ok count(qr/^goaway/), '>=', REPOS / 7 - 1, 'it did';
	cmp_ok count(qr/^open/), '>', 3, 'and was connected to again';
};

for my $case ([ 'refuses', REFUSED_STREAM ], [ 'breaks', INTERNAL_ERROR ],
	[ 'wants calm on', ENHANCE_YOUR_CALM ]) {
	my ($verb, $code) = @$case;
	subtest "a server that $verb each tenth stream" => sub {
		scan_while("reset $code 10", 'freshness-scan');
		cmp_ok count(qr/^reset/), '>=', REPOS / 10, 'it did';
		cmp_ok count(qr/^h2 getLatestCommit/), '>=', REPOS + count(qr/^reset/) - 1,
			'and was asked again';
	};
}

$daemon->finish;
$front->stop;
$peer->stop;
done_testing;
