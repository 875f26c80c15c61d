# F32: somebody sets the wall clock of the machine by a day, ahead and back, under a
# running daemon.  t/shim/clock.c is in all of its processes.

use strict;
use warnings;
use IO::Socket::INET;
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

use constant DAY => 24 * 3600;

my $libexec = null_op_libexec();
my $build = $Backfilld::Test::BUILDDIR;

symlink "$build/t/workers/null-op", "$libexec/$_" or die $!
	for qw(freshness-scan governance-sync);

my $daemon = Backfilld::Test->new(
	settings => { libexec_dir => $libexec, service_timeout_ms => 2000,
		worker_timeout_ms => 2000, cancel_grace_ms => 500, http_timeout_ms => 3000 },
	sections => qq(schedule "freshness-scan" { every = "1 s" }\n)
		. qq(schedule "governance-sync" { every = "6 h" }\n));
my $file = $daemon->dir . '/clock';

sub set_clock {
	my ($seconds) = @_;
	my $mode = -e $file ? '+<' : '>';
	open my $out, $mode, $file or die "$file: $!";
	syswrite $out, $mode eq '>' ? pack('q q', $seconds, 0) : pack('q', $seconds);
	close $out;
}

sub looks {
	open my $in, '<:raw', $file or die "$file: $!";
	read $in, my $bytes, 16;
	return (unpack 'q q', $bytes)[1];
}

# A program that starts another one with the clock of this test.
sub with_clock {
	my ($path, $program) = @_;
	unlink $path;
	open my $script, '>', $path or die "$path: $!";
	print $script "#!/bin/sh\n",
		"ASAN_OPTIONS=\"\$ASAN_OPTIONS:verify_asan_link_order=0\"\n",
		"LD_PRELOAD='$build/t/shim/clock.so' BF_CLOCK_FILE='$file'\n",
		"export ASAN_OPTIONS LD_PRELOAD BF_CLOCK_FILE\n", "exec '$program' \"\$@\"\n";
	close $script;
	chmod 0755, $path or die "$path: $!";
}

set_clock(0);
with_clock($daemon->dir . '/backfilld', "$build/backfilld");
with_clock("$libexec/$_", "$build/$_")
	for qw(backfill-indexer backfill-resolver backfill-api);
with_clock("$libexec/did-sync", "$build/t/workers/null-op");
$daemon->{binary} = $daemon->dir . '/backfilld';
$daemon->start;

my $running = $daemon->trigger('did-sync', did => null_op_did('run'));
$daemon->wait_operation($running, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
my %services = map { $_ => $daemon->wait_child($_) }
	qw(backfill-indexer backfill-resolver backfill-api);
my @ids = ($running);

sub seconds_pass {
	my ($seconds) = @_;
	my $until = Time::HiRes::time() + $seconds;
	wait_for { Time::HiRes::time() > $until } 60, 'time to pass';
}

sub of_type { return @{ $daemon->xrpc_get('getBackfillStatus',
	{ type => $_[0] })->{json}{operations} } }

sub schedule {
	my ($name) = @_;
	return (grep { $_->{name} eq $name } @{ $daemon->ctl('schedules')->{lines} })[0];
}

# ISO 8601 in UTC, of the clock that the daemon sees.
sub daemon_time {
	my ($offset) = @_;
	return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime(time + $offset));
}

sub goes_on {
	my ($offset) = @_;
	my $looked = looks();
	my $idle = IO::Socket::INET->new(PeerAddr => $daemon->http_address) or die $!;
	set_clock($offset);
	my $before = $daemon->operation($running)->{recordsProcessed};
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	my $ended = $daemon->wait_finished($id);
	is $ended->{status}, 'completed', 'an operation is done';
	is substr($ended->{startedAt}, 0, 13), substr(daemon_time($offset), 0, 13),
		'at the time that the clock says now';
	cmp_ok looks(), '>', $looked, 'the clock was looked at';
	cmp_ok $id, 'gt', $ids[-1], 'its id is greater than all before';
	push @ids, $id;

	my $stubborn = $daemon->trigger('did-sync', did => null_op_did('ignore-term'));
	$daemon->wait_operation($stubborn, sub { $_[0]{recordsProcessed} > 0 }, 'to run');
	my $asked = Time::HiRes::time();
	is $daemon->ctl('cancel', $stubborn)->{status}, 0, 'one that ignores SIGTERM';
	my $took = Time::HiRes::time() - $asked;
	cmp_ok $took, '>', 0.4, 'has its grace';
	cmp_ok $took, '<', 30, 'and no more';
	cmp_ok $stubborn, 'gt', $ids[-1], 'ids go on to grow';
	push @ids, $stubborn;

	seconds_pass(3);	# more than the timeouts of services and workers
	is $daemon->wait_child($_), $services{$_}, "$_ is not taken for hung"
		for sort keys %services;
	my $now = $daemon->operation($running);
	is $now->{status}, 'running', 'what ran runs';
	is $now->{attempt}, 1, 'in its first attempt';
	cmp_ok $now->{recordsProcessed}, '>', $before, 'and is heard of';
	$idle->blocking(0);
	wait_for { my $got = sysread $idle, my $byte, 1; defined $got && $got == 0 } 30,
		'a connection that says nothing to be closed';
	pass 'a connection has its time and no more';
}

subtest 'a day ahead' => sub {
	wait_for { of_type('freshness-scan') > 0 } 60, 'the schedule has a turn';
	my $much = of_type('governance-sync');
	is $much, 0, 'the one of every six hours had none';
	goes_on(DAY);
	wait_for { of_type('governance-sync') > 0 } 60, 'it to have one';
	my $turns = scalar of_type('freshness-scan');
	is scalar(of_type('governance-sync')), 1, 'one, for the four that passed';
	cmp_ok $turns, '<', 90, 'and one for those of each second, too';
	wait_for { of_type('freshness-scan') > $turns } 60, 'then they go on';
};

subtest 'back to where it was: a day back' => sub {
	goes_on(0);
	my $turns = scalar of_type('freshness-scan');
	wait_for { scalar(of_type('freshness-scan')) > $turns } 60,
		'what is due each second does not wait for tomorrow';
	pass 'schedules go on';
	cmp_ok schedule('governance-sync')->{nextAt}, 'lt', daemon_time(6 * 3600 + 60),
		'nor does another one';
};

subtest 'a day further back, and a restart' => sub {
	goes_on(-(DAY));
	$daemon->kill_hard;
	$daemon->expect_error(qr/./);
	$daemon->start;
	my $id = $daemon->trigger('did-sync', did => null_op_did('finish'));
	is $daemon->wait_finished($id)->{status}, 'completed', 'it works';
	cmp_ok $id, 'gt', $ids[-1], 'and knows which ids it had given out';
	$daemon->wait_operation($running, sub { $_[0]{status} eq 'running'
		&& $_[0]{attempt} == 2 }, 'to go on');
	my @listed = map { $_->{id} } @{ $daemon->xrpc_get('getBackfillStatus',
		{ type => 'didSync', limit => 100 })->{json}{operations} };
	is_deeply [ reverse @listed ], [ @ids, $id ], 'each is there, in the order of its making';
	$daemon->xrpc_post('cancelBackfill', { id => $running });
};

$daemon->finish;
done_testing;
