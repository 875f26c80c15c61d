# F1, F3, F22, F35, F36, F41: kill -9 of the supervisor, its services and its workers,
# at random and under load.  Whatever dies when: what was acknowledged is there, ends
# once, and nothing is left behind (I1 to I6 of docs/reliability.md).
#
#	BF_SOAK_SEED	chooses victims, moments and load; printed, and told by a failure
#	BF_SOAK_ROUNDS	kills, 300
#	BF_SOAK_SECONDS	no kill after that time, 75; how many were done is told

use strict;
use warnings;
use File::Copy ();
use List::Util ();
use Test::More;
use Time::HiRes ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $seed = $ENV{BF_SOAK_SEED} // (time ^ $$) & 0x7fffffff;
my $rounds = $ENV{BF_SOAK_ROUNDS} || 300;
my $seconds = $ENV{BF_SOAK_SECONDS} || 75;

alarm(($seconds + 240) * Backfilld::Process::time_factor());
note "BF_SOAK_SEED=$seed BF_SOAK_ROUNDS=$rounds BF_SOAK_SECONDS=$seconds";
END { diag "BF_SOAK_SEED=$seed" if $seed && !Test::More->builder->is_passing }
srand $seed;

my $libexec = null_op_libexec();
unlink "$libexec/did-sync" or die $!;	# a copy: our workers are told from others
File::Copy::copy("$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/did-sync")
	or die $!;
chmod 0755, "$libexec/did-sync" or die $!;
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
	max_workers => 6, max_attempts => 100, cancel_grace_ms => 500,
	log_level => 'info' });
my $notes = $daemon->dir . '/notes';
my $stop = $daemon->dir . '/stop';
my %killed;

$daemon->expect_error(qr/./);	# a crash is told in many ways
$daemon->start;
my $fds = keys %{ proc_fds($daemon->pid) };
my @loads = map { start_load($_) } 1, 2;
my $begun = Time::HiRes::time();
my $done = 0;
while ($done < $rounds && Time::HiRes::time() - $begun < $seconds) {
	pass_time(rand 0.15);
	kill_one();
	$done++;
}
end_loads();
note sprintf '%d of %d kills in %.0f s: %s', $done, $rounds,
	Time::HiRes::time() - $begun, join ', ', map { "$killed{$_} $_" } sort keys %killed;
cmp_ok $done, '>=', List::Util::min($rounds, 20), "$done kills were done";
check_all();
$daemon->finish;
done_testing;

# --- the kills ---

sub pass_time {
	my $until = Time::HiRes::time() + $_[0];
	wait_for { Time::HiRes::time() >= $until } 60, 'a moment';
}

# Every process that runs one of our executables as a worker.
sub workers {
	return grep { is_worker($_) && is_alive($_) }
		map { m{(\d+)$} ? $1 : () } glob '/proc/[0-9]*';
}

sub is_worker {
	return (readlink("/proc/$_[0]/exe") // '') =~ m{^\Q$libexec\E/};
}

sub kill_one {
	my $dice = rand;
	my $what = $dice < 0.4 ? 'backfilld' : $dice < 0.8 ? 'did-sync'
		: $dice < 0.9 ? 'backfill-indexer' : $dice < 0.96 ? 'backfill-api'
		: 'backfill-resolver';
	my $which = rand;
	my @pids = $what eq 'did-sync' ? workers()
		: grep { is_alive($_) } $daemon->children($what);

	if (!@pids) {
		$what = 'backfilld';
		kill_supervisor();
	} else {
		kill 'KILL', $pids[$which * @pids];
	}
	$killed{$what}++;
}

sub kill_supervisor {
	$daemon->kill_hard;
	wait_for { !workers() } 10, "the workers to go with it (BF_SOAK_SEED=$seed)";
	$daemon->start;
}

# --- the load ---

# A client that takes only an answer for a promise, and notes each.
sub start_load {
	my ($number) = @_;

	return Backfilld::Process::fork_group(sub {
		srand $seed + $number;
		open my $file, '>>', $notes or die "$notes: $!";
		$file->autoflush;
		load($number, sub { print $file "@_\n" });
	});
}

sub load {
	my ($number, $note) = @_;
	my @kinds = qw(finish records checkpoint run ignore-term finish records);
	my (@active, $count);

	while (!-e $stop) {
		$daemon->{address} = $daemon->http_address // next;
		if (@active < 6 && rand() < 0.6) {
			my $what = $kinds[rand @kinds];
			my $did = "did:web:$what.load$number-" . ++$count . '.test';
			my $operation = told('triggerBackfill', { type => 'didSync', did => $did })
				or next;
			$note->('accepted', $operation->{operation}{id}, $what, $did);
			push @active, $operation->{operation}{id};
		} elsif (@active) {
			my $nth = rand @active;
			meet($active[$nth], $note) and splice @active, $nth, 1;
		}
	}
}

sub told {
	my $answer = $daemon->xrpc_post(@_);
	return $answer->{status} == 200 && $answer->{json};
}

# Cancel it, from time to time; look at it.  True once it has ended.
sub meet {
	my ($id, $note) = @_;

	if (rand() < 0.5) {
		$note->('asked', $id);
		my $answer = told('cancelBackfill', { id => $id });
		$note->('ended', $id, 'cancelled') if $answer && $answer->{success};
	}
	my $operation = $daemon->operation($id) or return;
	return if $operation->{status} !~ /^(completed|failed|cancelled)$/;
	$note->('ended', $id, $operation->{status});
	return 1;
}

sub end_loads {
	open my $file, '>', $stop or die "$stop: $!";
	close $file;
	for my $pid (@loads) {
		wait_for { waitpid($pid, POSIX::WNOHANG()) != 0 } 90, 'a client to end';
		Backfilld::Process::forget_group($pid);
	}
}

# --- what has to hold ---

sub check_all {
	my (%accepted, %ended, @changed);
	open my $file, '<', $notes or die "$notes: $!";
	while (<$file>) {
		my ($event, $id, $what, $did) = split;
		if ($event eq 'accepted') {
			$accepted{$id} = { what => $what, did => $did };
		} elsif ($event eq 'asked') {
			$accepted{$id}{is_asked} = 1;
		} else {
			push @changed, "$id $ended{$id} $what"
				if defined $ended{$id} && $ended{$id} ne $what;
			$ended{$id} //= $what;
		}
	}
	wait_for { $daemon->get('/xrpc/_health')->{status} == 200 } 60, 'the API';
	my %missing = map { $_ => 1 } keys %accepted;
	for my $id (sort keys %accepted) {
		delete $missing{$id} if $daemon->operation($id);
	}
	cancel_endless(\%accepted);
	is_deeply [ sort keys %missing ], [], 'I1: what was acknowledged is there, all '
		. keys %accepted;
	wait_for {
		my $status = $daemon->ctl('status')->{json} || {};
		!($status->{queued} // 1) && !($status->{running} // 1)
	} 120, "every operation to end (BF_SOAK_SEED=$seed)";

	check_states(\%accepted, \%ended, @changed);
	check_remains();
	check_index(\%accepted);
}

# Also those that were triggered by a client who never heard of it.
sub cancel_endless {
	my ($accepted) = @_;
	for my $operation (listed('getBackfillStatus')) {
		my $id = $operation->{id};
		next if $operation->{status} !~ /^(queued|running)$/
			|| $operation->{params}{did} !~ /^did:web:(run|ignore-term|checkpoint)\./;
		$accepted->{$id}{is_asked} = 1 if $accepted->{$id};
		wait_for { $daemon->xrpc_post('cancelBackfill', { id => $id })->{status} == 200 }
			60, 'a cancel to be answered';
	}
}

# All that the method lists, page by page: the status what is active, too, the history
# what has ended.
sub listed {
	my ($method) = @_;
	my (@operations, $cursor);
	do {
		my $page = $daemon->xrpc_get($method,
			{ limit => 100, $cursor ? (cursor => $cursor) : () })->{json};
		push @operations, @{ $page->{operations} };
		$cursor = $page->{cursor};
	} while ($cursor);
	return @operations;
}

sub check_states {
	my ($accepted, $ended, @changed) = @_;
	my (%times, %count, @failed, @unasked);
	for my $operation (listed('getBackfillHistory')) {
		my $id = $operation->{id};
		$times{$id}++;
		$count{ $operation->{status} }++;
		push @changed, "$id $ended->{$id} $operation->{status}"
			if defined $ended->{$id} && $ended->{$id} ne $operation->{status};
		push @unasked, $id if $operation->{status} eq 'cancelled'
			&& $accepted->{$id} && !$accepted->{$id}{is_asked};
		push @failed, "$id: $operation->{error}"
			if $operation->{status} eq 'failed'
			&& ($operation->{errorClass} // '') ne 'worker-died';
	}
	note join ', ', map { "$count{$_} $_" } sort keys %count;
	is_deeply \@changed, [], 'I2: what had ended has not changed, confirmed cancels hold';
	is_deeply [ grep { $times{$_} != 1 } keys %times ], [], 'I2: each is there once';
	is_deeply [ grep { !$times{$_} } keys %$accepted ], [], 'I2: each is in the history';
	is_deeply \@unasked, [], 'what nobody asked to cancel is not cancelled';
	is_deeply \@failed, [], 'none failed but with its worker';
	cmp_ok $count{failed} // 0, '<=', $killed{'did-sync'} // 0,
		'and not more than workers were killed';
	cmp_ok $count{$_} // 0, '>', 0, "some are $_" for qw(completed cancelled);
}

sub check_remains {
	wait_for { !workers() } 10, 'I3: no worker to be left';
	pass 'I3: no worker is left';
	wait_for { keys %{ proc_fds($daemon->pid) } <= $fds } 10, 'descriptors to be closed';
	pass 'I4: no descriptor is left over';
	wait_for { !grep { proc_state($_) eq 'Z' } $daemon->children } 10, 'the dead';
	pass 'I4: no zombie';
	# The best of three: the machine may have stood still, not the API.
	my $took;
	for (1 .. 3) {
		my $start = Time::HiRes::time();
		is $daemon->get('/xrpc/_health')->{status}, 200, 'I5: the API answers';
		last if ($took = Time::HiRes::time() - $start) < 1;
	}
	cmp_ok $took, '<', 1, 'I5: within a second';
}

# A repository is there whole, or not at all.
sub check_index {
	my ($accepted) = @_;
	my %records;
	$records{ $_->{uri} =~ m{^at://([^/]+)/} ? $1 : '' }++ for @{ $daemon->records };
	my @torn = grep { $records{$_} != 1000 } sort keys %records;
	is_deeply \@torn, [], 'I6: what is indexed is whole';
	my @lost = grep {
		$accepted->{$_}{what} eq 'records' && !$records{ $accepted->{$_}{did} }
			&& $daemon->operation($_)->{status} eq 'completed'
	} sort keys %$accepted;
	is_deeply \@lost, [], 'I6: what completed is indexed';
	cmp_ok scalar keys %records, '>', 0, 'I6: there is something in it';
}
