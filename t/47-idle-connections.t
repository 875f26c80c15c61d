# F99: ten thousand connections that say nothing, and those that say it slowly.  The
# API serves everybody else meanwhile, in bounded memory, and is rid of them in time.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use IO::Socket::INET;
use Test::More;
use Time::HiRes ();

use Backfilld::Api;
use Backfilld::Process qw(wait_for proc_fds proc_rss_kib);

use constant { HERDS => 12, EACH => 850 };	# a herd is a process: 1024 descriptors

my $most = HERDS * EACH;
my $api = Backfilld::Api->new(settings => { http_timeout_ms => 60_000,
	http_max_connections => $most + 200, http_max_connections_per_address => EACH + 10 });
$api->start;
my ($limit) = do {
	open my $file, '<', "/proc/$api->{pid}/limits" or die "limits: $!";
	map { /^Max open files\s+(\d+)/ ? $1 : () } <$file>;
};
plan skip_all => "only $limit descriptors may be had" if $limit < $most + 100;

# Open connections from an address of its own, say how many, and hold them.
sub herd {
	my ($n, $start) = @_;
	pipe my $told, my $tell or die "pipe: $!";
	pipe my $held, my $hold or die "pipe: $!";
	my $pid = Backfilld::Process::fork_group(sub {
		close $_ for $told, $hold;
		my @all;
		while (@all < EACH) {
			my $socket = IO::Socket::INET->new(PeerAddr => $api->{address},
				LocalAddr => '127.0.1.' . ($n + 1), Timeout => 30) or last;
			syswrite $socket, $start if length $start;
			push @all, $socket;
		}
		syswrite $tell, scalar(@all) . "\n";
		sysread $held, my $byte, 1;
	});
	close $_ for $tell, $held;
	return { pid => $pid, told => $told, hold => $hold };
}

# Starts all herds; how many connections there are.
sub gather {
	my ($start) = @_;
	my @herds = map { herd($_, $start) } 0 .. HERDS - 1;
	my $count = 0;
	$count += readline($_->{told}) // 0 for @herds;
	return ($count, @herds);
}

sub let_go {
	# Later herds have the earlier ones' pipes, too.
	close $_->{hold} for @_;
	for my $herd (reverse @_) {
		waitpid $herd->{pid}, 0;
		Backfilld::Process::forget_group($herd->{pid});
	}
	wait_for { keys %{ proc_fds($api->{pid}) } < 100 } 60, 'the connections to end';
}

sub is_quick {
	my ($what) = @_;
	my @took;
	for (1 .. 20) {
		my $started = Time::HiRes::time();
		is $api->get('/livez', as => '')->{status}, 200, "$what: livez" or return;
		push @took, Time::HiRes::time() - $started;
	}
	# But for the slowest two: a machine full of tests stands still at times.
	my $slow = (sort { $a <=> $b } @took)[-3];
	cmp_ok $slow, '<', 1, sprintf '%s: answers within a second (%.0f ms)', $what,
		$slow * 1000;
}

for my $case ([ 'idle', '' ], [ 'half a request line', 'GET /li' ],
	[ 'half the headers', "GET /livez HTTP/1.1\r\nHost: x\r\nX: " ]) {
	my ($what, $start) = @$case;
	subtest "$most connections, $what" => sub {
		my $before = proc_rss_kib($api->{pid});
		my ($count, @herds) = gather($start);
		is $count, $most, 'all are taken';
		wait_for { keys %{ proc_fds($api->{pid}) } >= $most } 60, 'all to be accepted';
		is_quick($what);
		my $each = (proc_rss_kib($api->{pid}) - $before) / $most;
		cmp_ok $each, '<', 32, sprintf '%.1f KiB each', $each;
		let_go(@herds);
		pass 'they go, and nothing is left';
	};
}

$api->finish;

subtest 'one that is slow is cut off, whatever it trickles' => sub {
	my $slow = Backfilld::Api->new(settings => { http_timeout_ms => 1000,
		http_max_connections => 200, http_max_connections_per_address => 150 });
	$slow->start;
	my @all = map { $slow->connect } 1 .. 100;
	my $started = Time::HiRes::time();
	$_->put("GET /livez HTTP/1.1\r\nHost: x\r\n") for @all;
	wait_for {
		@all = grep { $_->put("X: y\r\n") } @all;
		$slow->get('/livez', as => '')->{status} == 200 && !@all
	} 30, 'all to be cut off';
	cmp_ok Time::HiRes::time() - $started, '<', 15, 'all are cut off';
	$slow->finish;
};

subtest 'http_max_connections is for all addresses together' => sub {
	my $small = Backfilld::Api->new(settings => { http_timeout_ms => 60_000,
		http_max_connections => 20, http_max_connections_per_address => 10 });
	$small->start;
	my @all;
	for my $n (1 .. 4) {
		push @all, grep { $_ } map { IO::Socket::INET->new(PeerAddr => $small->{address},
			LocalAddr => "127.0.2.$n", Timeout => 10) } 1 .. 10;
	}
	# The kernel takes more for us than we take from it.
	wait_for { keys %{ proc_fds($small->{pid}) } >= 20 } 20, 'connections to be accepted';
	cmp_ok scalar(grep { m{^socket:} } values %{ proc_fds($small->{pid}) }), '<=', 25,
		'no more are';
	@all = ();
	wait_for { my $answer = eval { $small->get('/livez', as => '') };
		$answer && $answer->{status} == 200 } 20, 'room again';
	pass 'and there is room when they go';
	$small->finish;
};

done_testing;
