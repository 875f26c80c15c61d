# A network that is not what it should be, rows F73, F74, F82, F83 and F86 of the fault
# matrix, met by whole operations with the settings of a production: private addresses
# are refused.  Names, addresses and who was connected to are t/shim/net.c's, which lets
# nothing out; TLS is t/peer/tls_front.c's.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use File::Temp ();
use JSON::PP ();
use Test::More;

use Backfilld::FakePeer;
use Backfilld::FakeRelay;
use Backfilld::Scans;
use Backfilld::ShimNet;
use Backfilld::Test;
use Backfilld::TlsFront;

use constant { PUBLIC => '93.184.0.1', DAY => 86_400 };

my $peer = Backfilld::FakePeer->start;
my ($plc_port, $pds_port) = map { m{:(\d+)$} } $peer->plc_url, $peer->pds_url;
my $files = File::Temp->newdir;

# A daemon in a network of its own; options: settings, env (of workers), start (its own
# environment).
sub new_daemon {
	my (%options) = @_;
	my $net = Backfilld::ShimNet->new(env => $options{env},
		workers => [qw(did-sync pds-scan full-sync freshness-scan catch-up)]);
	my $daemon = Backfilld::Test->new(net => $peer, settings => {
		libexec_dir => $net->libexec, allow_private_addresses => 'false',
		host_requests_per_s => 1000, fetch_retries => 1, host_patience_ms => 1000,
		identity_cache_ms => 0,
		full_sync_file => "$files/list", %{ $options{settings} || {} } });
	$daemon->start(env => $options{start} || {});
	return ($daemon, $net);
}

# Repositories whose documents name these servers.  Returns their numbers.
sub add_at {
	my (@endpoints) = @_;
	my $first = $peer->add(count => scalar @endpoints);
	$peer->set(number => $first + $_, endpoint => $endpoints[$_]) for 0 .. $#endpoints;
	return $first .. $first + $#endpoints;
}

# A full-sync of these alone: the operation, and {DID => class}.
sub sync_all {
	my ($daemon, @numbers) = @_;
	open my $list, '>', "$files/list" or die "$files/list: $!";
	print $list map { $peer->did($_) . "\n" } @numbers;
	close $list;
	my $operation = run_scan($daemon, 'full-sync');
	return ($operation, items_of($daemon, $operation));
}

sub statuses {
	my ($daemon) = @_;
	return { map { $_->{did} => $_->{status} } @{ $daemon->ctl('repos')->{lines} } };
}

# One account: the failed operation, whose class is this.
sub fails_as {
	my ($daemon, $number, $class, $name) = @_;
	my $operation = $daemon->wait_finished(
		$daemon->trigger('did-sync', did => $peer->did($number)), 60);
	my $shown = $daemon->ctl('show', $operation->{id})->{json};

	is "$operation->{status} $shown->{errorClass}", "failed $class", $name;
	wait_for { !$daemon->children('did-sync') } 30, 'its worker to be gone';
	return $operation;
}

# The names that never resolve are waited for so long; all else is far faster.
my ($daemon, $net) = new_daemon(settings => { connect_timeout_ms => 4000 });
my $good = "http://good.example:$pds_port";
my %verdict = ('nxdomain' => 'unreachable', 'servfail' => 'unreachable',
	'hang' => 'timeout');
my %names = ('good.example' => PUBLIC, 'inside.example' => '10.1.2.3',
	'inside6.example' => 'fd00::1',
	map { ("$_.example" => $_, "$_.alone.example" => $_) } keys %verdict);
$net->names(%names);

subtest 'F73: names that do not resolve, or never' => sub {
	my %account;
	@account{ keys %verdict } = add_at(map { "http://$_.example:$pds_port" } keys %verdict);
	my @fine = add_at(($good) x 3);
	my ($operation, $items) = sync_all($daemon, values %account, @fine);
	is $operation->{status}, 'completed', 'an operation of many completes';
	is_deeply $items, { map { $peer->did($account{$_}) => $verdict{$_} } keys %verdict },
		'each that failed is an item';
	is_deeply [ @{ statuses($daemon) }{ map { $peer->did($_) } @fine } ],
		[ ('active') x 3 ], 'those beside are done';
	wait_for { !$daemon->children('full-sync') } 30, 'no worker waits for a resolver';
	for my $name (sort keys %verdict) {
		my ($account) = add_at("http://$name.alone.example:$pds_port");
		$operation = fails_as($daemon, $account, $verdict{$name},
			"a single account: $name");
		like $operation->{error}, qr/$name\.alone\.example/, '... which is named';
	}
};

my @nasty = (qw(127.0.0.1 169.254.169.254 10.0.0.1 100.64.0.1 0.0.0.0 [::1] [fc00::1]
	[fe80::1] [::ffff:10.0.0.1] [::ffff:127.0.0.1] [64:ff9b::7f00:1]),
	'inside.example', 'inside6.example');
my @odd = qw(0x7f.1 0177.0.0.1 2130706433 127.1 017700000001);

# The repositories of before are asked for again, each time.
sub nobody_else_was_asked {
	is_deeply [ grep { $_ ne "connect @{[PUBLIC]} $pds_port" }
		$net->connections_beside($plc_port) ], [], 'nobody else was connected to';
}

subtest 'F82: a document that names a private address' => sub {
	$net->forget;
	my @blocked = add_at(map { "http://$_:$pds_port" } @nasty);
	my @invalid = add_at(map { "http://$_:$pds_port" } @odd);
	my (undef, $items) = sync_all($daemon, @blocked, @invalid);
	is_deeply $items, { (map { $peer->did($_) => 'blocked' } @blocked),
		(map { $peer->did($_) => 'invalid' } @invalid) }, 'each is refused';
	nobody_else_was_asked();
	fails_as($daemon, $blocked[0], 'blocked', 'a single account');
};

subtest 'F82: a redirect to a private address' => sub {
	my @redirected = add_at(($good) x (@nasty + @odd));
	my @to = map { "http://$_:$pds_port/xrpc/com.atproto.sync.getRepo?did=x" }
		@nasty, @odd;
	$peer->fault(kind => 'redirect', on => 'getRepo', did => $peer->did($redirected[$_]),
		to => $to[$_]) for 0 .. $#to;
	$net->forget;
	my (undef, $items) = sync_all($daemon, @redirected);
	is_deeply $items, { map { $peer->did($_) => 'blocked' } @redirected },
		'each is refused, in whatever way it is written';
	$peer->check_faults;
	nobody_else_was_asked();
};

subtest 'F83: a name that moves to a private address' => sub {
	$net->names(%names, 'rebound.example' => [ PUBLIC, '127.0.0.1' ]);
	my ($account) = add_at("http://rebound.example:$pds_port");
	my $sync = sub { return $daemon->wait_finished(
		$daemon->trigger('did-sync', did => $peer->did($account))) };
	$net->forget;
	$peer->forget;
	is $sync->()->{status}, 'completed', 'as long as it is public';
	$net->names(%names, 'rebound.example' => [ '127.0.0.1', PUBLIC ]);
	fails_as($daemon, $account, 'blocked', 'then no more');
	is $peer->asked('getRepo'), 1, 'it was asked once';
	is $net->lookups('rebound.example'), 2, 'looked up once by each worker';
	is_deeply [ $net->connections_beside($plc_port) ],
		[ "connect @{[PUBLIC]} $pds_port" ], 'and never connected to elsewhere';
};
$daemon->finish;

subtest 'F86: variables that name a proxy' => sub {
	my %proxy = map { ($_ => "http://127.0.0.1:9") }
		qw(http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY);
	my ($daemon, $net) = new_daemon(env => \%proxy);
	$net->names('good.example' => PUBLIC);
	my ($account) = add_at($good);
	$net->forget;
	my (undef, $items) = sync_all($daemon, $account);
	is_deeply $items, {}, 'the account is synced';
	is statuses($daemon)->{ $peer->did($account) }, 'active', 'and indexed';
	is_deeply [ grep { / 9$/ } $net->ledger ], [], 'the proxy was not asked';
	$daemon->finish;
};

subtest 'F74: TLS of all kinds' => sub {
	my $behind = Backfilld::FakePeer->start;	# the relay: it lists nobody
	my $relay = Backfilld::FakeRelay->start($behind->pds_url);
	my ($relay_port) = $relay->url =~ /:(\d+)$/;
	my %front = map { my ($name, %options) = @$_;
		($name => Backfilld::TlsFront->start(port => $pds_port,
			name => "$name.example", %options)) }
		[ 'good' ], [ 'expired', seconds => -DAY ], [ 'unknown' ],
		[ 'other', name => 'elsewhere.example' ], [ 'old', version => 769 ],
		[ 'plc', port => $plc_port ], [ 'relay', port => $relay_port ],
		[ 'stale', port => $relay_port, seconds => -DAY ];
	my %url = map { ($_ => "https://$_.example:" . $front{$_}->port) } keys %front;
	open my $bundle, '>', "$files/certs.pem" or die "$files/certs.pem: $!";
	print $bundle map { $front{$_}->certificate } grep { $_ ne 'unknown' } keys %front;
	close $bundle;

	my ($daemon, $net) = new_daemon(start => { SSL_CERT_FILE => "$files/certs.pem" },
		settings => { allow_plain_http => 'false', plc_directory => $url{plc},
			relay_url => $url{relay}, relay_idle_ms => 500 });
	$net->names(map { ("$_.example" => PUBLIC) } keys %front);
	my ($fine) = add_at($url{good});
	my @names = qw(expired unknown other old);
	my @bad = add_at(@url{@names});
	my ($plain) = add_at($good);
	my (undef, $items) = sync_all($daemon, $fine, @bad, $plain);
	is_deeply $items, { (map { $peer->did($_) => 'unreachable' } @bad),
		$peer->did($plain) => 'no-server' }, 'what is no good is refused';
	is statuses($daemon)->{ $peer->did($fine) }, 'active', 'what is good is synced';
	for my $name (@names) {
		my $port = $front{$name}->port;
		is scalar(grep { /^connect .* $port$/ } $net->ledger), 1, "$name: tried once";
	}
	is scalar(grep { / $pds_port$/ } $net->ledger), 0, 'and never in the clear';
	fails_as($daemon, $bad[0], 'tls', 'a single account');

	my $listened = $relay->ledger;
	is run_scan($daemon, 'catch-up')->{status}, 'completed', 'a relay that is good';
	cmp_ok scalar $relay->ledger, '>', $listened, '... was listened to';
	$listened = $relay->ledger;
	$daemon->set(relay_url => $url{stale});
	$daemon->signal('HUP');
	$daemon->wait_log(qr/reloaded/);
	my $operation = $daemon->wait_finished($daemon->trigger('catch-up'), 60);
	is $operation->{status}, 'failed', 'one that has expired';
	like $operation->{error}, qr{stale\.example:\d+: SSL certificate problem: certificate has expired}, '... is told';
	is scalar $relay->ledger, $listened, '... and was not';
	$daemon->finish;
	$_->stop for values %front;
	$_->stop for $relay, $behind;
};

$peer->stop;
done_testing;
