# F1, F2, F38, F40: a crash at each step between a trigger and its end loses nothing
# that was acknowledged, and leaves nothing in two states.

use strict;
use warnings;
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::NullOp;
use Backfilld::Test;

my $libexec = null_op_libexec();
my @points = points();
my @terminal = qw(completed failed cancelled);

cmp_ok scalar @points, '>', 15, 'the table of crash points is read';
for my $point (@points) {
	for my $nth ($point->{name} eq 'stop-begun' ? 1 : (1, 2)) {	# a process stops once
		subtest "$point->{name}:$nth" => sub { crash_at($point, $nth) };
	}
}
done_testing;

# src/common/crashpoint.def
sub points {
	my $path = "$Backfilld::Test::SRCDIR/src/common/crashpoint.def";
	open my $file, '<', $path or die "$path: $!";
	return map { /^\tX\(\w+, "([\w-]+)", "([\w-]+)"\)/ ? { name => $1, process => $2 } : () }
		<$file>;
}

# What was told of operations before and after: id => the states seen, in order.
my (%seen, $daemon, $fired);

sub crash_at {
	my ($point, $nth) = @_;
	my $is_daemon = $point->{process} eq 'backfilld';

	%seen = ();
	$daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec,
		max_workers => 8, max_attempts => 10, cancel_grace_ms => 2000 });
	$fired = $daemon->dir . '/state/records/crashed';	# where the indexer may write
	$daemon->expect_error(qr/./);	# a crash is told in many ways
	if ($point->{name} eq 'recovered-one') {
		$daemon->start;
		accepted('run') for 1, 2;
		wait_running();
		$daemon->kill_hard;
	}
	{
		local $ENV{BF_CRASHPOINT} = "$point->{name}:$nth:$fired";
		eval { $daemon->start };
	}
	drive($point) if !-e $fired;
	wait_for { -e $fired } 60, 'the crash';
	if ($is_daemon) {
		wait_for { $daemon->has_ended } 60, 'the daemon to be gone';
		my @workers = $daemon->log =~ /: started, attempt \d+, worker (\d+)/g;
		wait_for { !grep { is_alive($_) } @workers } 10, 'the workers to go with it';
		$daemon->start;
	}
	check_all();
	$daemon->finish;
}

# Trigger, as a client that takes only an answer for a promise.
sub accepted {
	my ($what) = @_;
	my $answer = $daemon->xrpc_post('triggerBackfill',
		{ type => 'didSync', did => null_op_did($what) });
	return if $answer->{status} != 200;
	my $operation = $answer->{json}{operation};
	$seen{ $operation->{id} } = { what => $what, states => [ $operation->{status} ] };
	return $operation->{id};
}

sub look {
	for my $id (keys %seen) {
		my $operation = $daemon->operation($id) or next;
		my $states = $seen{$id}{states};
		push @$states, $operation->{status} if $states->[-1] ne $operation->{status};
	}
}

sub wait_running {
	wait_for {
		look();
		-e $fired or !grep { $_->{states}[-1] eq 'queued' } values %seen
	} 60, 'all to run';
}

sub wait_ended {
	my ($what) = @_;
	wait_for {
		look();
		-e $fired or !grep { $_->{what} eq $what && $_->{states}[-1] =~ /^(queued|running)$/ }
			values %seen
	} 60, "$what to end";
}

# One of each, two cancels, a stop: every point is met at least twice.
sub drive {
	my ($point) = @_;
	for my $what (qw(run records checkpoint run finish records finish)) {
		wait_ended('records') if $what eq 'records';	# two commits, not one group
		accepted($what);
		return if -e $fired;
	}
	wait_running();
	for my $id (grep { $seen{$_}{what} eq 'run' } sort keys %seen) {
		last if -e $fired;
		my $answer = $daemon->xrpc_post('cancelBackfill', { id => $id });
		$seen{$id}{is_cancelled} = 1 if $answer->{status} == 200
			&& $answer->{json}{success};
		look();
	}
	if ($point->{name} eq 'stop-begun') {
		$daemon->signal('TERM');
	}
}

sub check_all {
	for my $id (sort keys %seen) {
		my $was = $seen{$id};
		my $answer = $daemon->xrpc_get('getBackfillStatus', { id => $id });
		my $operation = ($answer->{json} || {})->{operation};
		ok $operation, "$was->{what}: what was acknowledged is there"
			or diag("$answer->{status} $answer->{content}"), next;
		$daemon->xrpc_post('cancelBackfill', { id => $id })
			if $was->{what} eq 'run' || $was->{what} eq 'checkpoint';
		my $end = $daemon->wait_finished($id);
		my @ends = grep { my $state = $_; grep { $_ eq $state } @terminal }
			@{ $was->{states} };
		is $ends[0] // $end->{status}, $end->{status},
			'a terminal state stays' if @ends;
		is $end->{status}, 'cancelled', 'a cancel that was confirmed holds'
			if $was->{is_cancelled};
		is $end->{status}, 'completed', "$was->{what}: it has done its work"
			if $was->{what} =~ /^(finish|records)$/;
		is count_of($operation), 1000, 'all of it, once' if $was->{what} eq 'records';
	}
	is_deeply [ grep { $daemon->operation($_)->{status} !~ /^(completed|failed|cancelled)$/ }
		keys %seen ], [], 'nothing is left over';
}

# The indexer may just be starting again.
sub count_of {
	my ($operation) = @_;
	my $result;
	wait_for {
		$result = $daemon->ctl('records', '--count', '--did', $operation->{params}{did});
		$result->{status} == 0
	} 60, 'the index to answer';
	return $result->{lines}[0]{records};
}
