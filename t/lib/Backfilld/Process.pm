package Backfilld::Process;

# Child processes of a test, and what /proc says about any process.  Whatever a
# test starts through here is gone when the test is, however it ends.

use strict;
use warnings;
use Exporter 'import';
use Fcntl;
use POSIX ();
use Time::HiRes ();

our @EXPORT_OK = qw(wait_for spawn proc_children proc_group proc_name proc_fds
	proc_rss_kib proc_state is_alive);

# Call the block until it returns true; that value is returned.  Dies when it
# takes longer than $seconds.  The one place that waits for time to pass.
sub wait_for (&$$) {
	my ($condition, $seconds, $what) = @_;
	my $deadline = Time::HiRes::time() + $seconds * time_factor();
	my $pause = 0.002;

	while (1) {
		my $value = $condition->();
		return $value if $value;
		die "waited $seconds s in vain for $what\n"
			if Time::HiRes::time() > $deadline;
		Time::HiRes::sleep($pause);		# lint: the one poll
		$pause = $pause * 1.5 if $pause < 0.05;
	}
}

# Deadlines are met soon on a machine that is idle, and matter only to a test that
# fails: so they are three times what is written, for machines that are busy.  For slow
# ones, and valgrind, BF_TEST_PATIENCE=10 makes it ten times.
sub time_factor {
	return $ENV{BF_TEST_PATIENCE} || 3;
}

my %groups;		# process groups that this test started

# Start a program in a process group of its own.  %options: stdout, stderr:
# files, appended to; stdin: a handle, otherwise /dev/null.  Returns the pid.
sub spawn {
	my ($argv, %options) = @_;
	my $pid = fork();

	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		%groups = ();
		POSIX::setpgid(0, 0);
		exec_with($argv, \%options);
	}
	POSIX::setpgid($pid, $pid);	# whichever of the two comes first
	$groups{$pid} = 1;
	return $pid;
}

# Run a function in a child process with a process group of its own, which does
# not outlive the test.  Returns the pid.
sub fork_group {
	my ($run) = @_;
	my $pid = fork();

	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		%groups = ();
		POSIX::setpgid(0, 0);
		local $SIG{__DIE__} = 'DEFAULT';
		$SIG{$_} = 'DEFAULT' for qw(INT TERM ALRM);
		eval { $run->(); 1 } or print STDERR $@;
		POSIX::_exit(0);
	}
	POSIX::setpgid($pid, $pid);
	$groups{$pid} = 1;
	return $pid;
}

# In the child.  POSIX::_exit keeps the test's END blocks from running twice.
sub exec_with {
	my ($argv, $options) = @_;
	local $SIG{__DIE__} = 'DEFAULT';
	my $ok = eval {
		my $stdin = $options->{stdin};
		if ($stdin) {
			POSIX::dup2(fileno $stdin, 0);
		} else {
			redirect('/dev/null', O_RDONLY, 0);
		}
		my $append = O_WRONLY | O_APPEND | O_CREAT;
		redirect($options->{stdout}, $append, 1) if $options->{stdout};
		redirect($options->{stderr}, $append, 2) if $options->{stderr};
		$SIG{$_} = 'DEFAULT' for qw(INT TERM ALRM PIPE);
		exec { $argv->[0] } @$argv or die "exec $argv->[0]: $!\n";
	};
	print STDERR $@ unless $ok;
	POSIX::_exit(127);
}

sub redirect {
	my ($path, $flags, $fd) = @_;
	my $opened = POSIX::open($path, $flags, 0600);

	die "open $path: $!\n" unless defined $opened;
	POSIX::dup2($opened, $fd);
	POSIX::close($opened) if $opened != $fd;
}

# Nothing of this group is left or wanted any more.
sub forget_group {
	my ($pgid) = @_;
	delete $groups{$pgid};
}

# One row of /proc/PID/stat, or nothing for a process that is gone.
sub stat_of {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or return;
	my $line = <$file> // return;
	my ($name, $rest) = $line =~ /^\d+ \((.*)\) (.*)$/s or return;
	my ($state, $parent, $group) = split ' ', $rest;

	return { pid => $pid, name => $name, state => $state, parent => $parent,
		group => $group };
}

sub all_processes {
	opendir my $proc, '/proc' or die "/proc: $!";
	return grep { defined } map { stat_of($_) } grep { /^\d+$/ } readdir $proc;
}

# The pids of the processes whose parent this is, zombies too; only those of
# the given name if there is one.
sub proc_children {
	my ($parent, $name) = @_;
	return map { $_->{pid} } grep {
		$_->{parent} == $parent && (!defined $name || proc_name($_->{pid}) eq $name)
	} all_processes();
}

# The pids of a process group, zombies left out.
sub proc_group {
	my ($group) = @_;
	return map { $_->{pid} }
		grep { $_->{group} == $group && $_->{state} ne 'Z' } all_processes();
}

# The last part of argv[0]: /proc/PID/comm would cut it at 15 bytes.
sub proc_name {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/cmdline" or return '';
	local $/;
	my ($program) = split /\0/, <$file> // '';
	my $name = $program // '';
	$name =~ s{.*/}{};
	return $name;
}

# {descriptor => what it is open on}
sub proc_fds {
	my ($pid) = @_;
	opendir my $dir, "/proc/$pid/fd" or die "/proc/$pid/fd: $!";
	return { map { $_ => readlink("/proc/$pid/fd/$_") // '' }
		grep { /^\d+$/ } readdir $dir };
}

sub proc_rss_kib {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/status" or die "/proc/$pid/status: $!";
	my ($kib) = map { /^VmRSS:\s+(\d+)/ ? $1 : () } <$file>;
	return $kib;
}

# One letter: R, S, D, T (stopped), Z (zombie); nothing if it is gone.
sub proc_state {
	my $stat = stat_of($_[0]);
	return $stat && $stat->{state};
}

sub is_alive {
	my $state = proc_state($_[0]);
	return defined $state && $state ne 'Z' && $state ne 'X';
}

END {
	my $status = $?;
	# A moment to clean up behind themselves; then nobody is asked any more.
	kill 'TERM', map { -$_ } keys %groups;
	my %left = %groups;
	eval {
		wait_for {
			delete @left{ grep { waitpid($_, POSIX::WNOHANG()) != 0 } keys %left };
			!%left
		} 3, 'processes to end';
	};
	kill 'KILL', map { -$_ } keys %groups;
	waitpid $_, 0 for keys %left;
	$? = $status;
}

# A signal has to run END, and a test that hangs has to end.
for my $signal (qw(INT TERM HUP)) {
	$SIG{$signal} = sub { die "SIG$signal\n" };
}
$SIG{ALRM} = sub { die "the test took too long\n" };
alarm 300 * time_factor();

1;
