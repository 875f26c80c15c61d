# The supervisor as an operator meets it: start, stop, a second instance, a bad
# configuration, services that come back.

use strict;
use warnings;
use POSIX ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;

my $daemon = Backfilld::Test->new;
$daemon->start;

subtest 'the second instance on a state directory is refused' => sub {
	my $second = $daemon->run_backfilld('-c', $daemon->{conf});
	is $second->{status}, 75, 'exit status 75';
	my $pid = $daemon->pid;
	like $second->{out} . $second->{err}, qr/another backfilld uses .*process $pid/,
		'it says who has it';
	is $daemon->get('/xrpc/_health')->{status}, 200, 'the first one is unharmed';
};

subtest 'a lock that cannot be made is not said to be held' => sub {
	my $other = Backfilld::Test->new;
	mkdir "$other->{dir}/state/lock" or die "mkdir: $!";
	my $got = $other->run_backfilld('-c', $other->{conf});
	is $got->{status}, 71, 'exit status 71';
	like $got->{err}, qr{^<3>backfilld: open\(\Q$other->{dir}\E/state/lock\): Is a directory$}m,
		'it says what is in the way';
	unlike $got->{err}, qr/another backfilld/, 'and nothing else';
	$other->{is_finished} = 1;
};

subtest 'children have only the descriptors that the contract names' => sub {
	my %count = ('backfill-indexer' => 4, 'backfill-resolver' => 4,
		'backfill-api' => 5);

	for my $name (sort keys %count) {
		my $pid = $daemon->wait_child($name);
		my @inherited = grep { $_ < $count{$name} } keys %{ proc_fds($pid) };
		is scalar @inherited, $count{$name}, "$name has fd 0 to " . ($count{$name} - 1);
	}
};

for my $name (qw(backfill-indexer backfill-resolver backfill-api)) {
	subtest "$name is started again when it dies" => sub {
		my $old = $daemon->wait_child($name);
		$daemon->expect_error(qr/$name: process $old was killed by signal 9/);
		kill 'KILL', $old;
		my $new;
		wait_for {
			($new) = grep { $_ != $old && is_alive($_) } $daemon->children($name)
		} 10, "another $name";
		isnt $new, $old, 'another process';
		wait_for { $daemon->get('/xrpc/_health')->{status} == 200 } 10, 'the API';
	};
}

subtest 'SIGHUP reloads, all or nothing' => sub {
	$daemon->set(max_workers => 7);
	$daemon->signal('HUP');
	wait_for { ($daemon->ctl('status')->{json} || {})->{maxWorkers} == 7 } 10, 'reload';
	$daemon->expect_error(qr/reload: the old settings stay/);
	$daemon->set(max_workers => 'many');
	$daemon->signal('HUP');
	$daemon->wait_log(qr/the old settings stay: .*max_workers = "many"/);
	is $daemon->ctl('status')->{json}{maxWorkers}, 7, 'the old value stays';

	for my $what ('directory', 'fifo') {
		unlink $daemon->{conf};
		$what eq 'fifo' ? POSIX::mkfifo($daemon->{conf}, 0600)
			: mkdir $daemon->{conf};
		$daemon->signal('HUP');
		wait_for { my $times = () = $daemon->log =~ /is no plain file/g;
			$times == ($what eq 'fifo' ? 2 : 1) } 10, "a $what to be refused";
		is $daemon->ctl('status')->{json}{maxWorkers}, 7, "a $what in its place: too";
		$what eq 'fifo' ? unlink $daemon->{conf} : rmdir $daemon->{conf};
	}
	$daemon->set(max_workers => 7);
};

subtest 'a bad configuration is refused with its file and line' => sub {
	my $conf = "$daemon->{dir}/bad.conf";
	my %cases = (
		"log_level = info\nno_such_setting = 1\n" => qr/bad\.conf:2: .*no_such_setting/,
		"max_workers = 0\n" => qr/bad\.conf:1: max_workers = "0": .*from 1 to 1000/,
		"log_level = info\nmax_workers_per_type = {\"pds-scan=0\"}\n" =>
			qr/max_workers_per_type: "pds-scan=0"/,
		"schedule \"x\" {\n every = \"1 h\"\n type = \"no type\"\n}\n" =>
			qr/bad\.conf:4: schedule "x": type = "no type"/,
		"schedule \"pds-scan\" {\n}\n" =>
			qr/bad\.conf:2: schedule "pds-scan": .*either every or daily/,
		"schedule \"pds-scan\" {\n every = \"1 week\"\n}\n" =>
			qr/bad\.conf:3: .*every = "1 week"/,
		"schedule \"did-sync\" {\n daily = \"03:00\"\n}\n" =>
			qr/did-sync needs the parameter did/,
		("schedule \"pds-scan\" { every = \"1 h\" }\n" x 2) =>
			qr/bad\.conf:2: schedule "pds-scan": is there twice/,
		"allow_plain_http = maybe\n" => qr/bad\.conf:1: allow_plain_http = "maybe"/,
		"type_spelling = snake\n" => qr/type_spelling = "snake"/,
		"admin_password_file = /nonexistent\n" => qr/admin_password_file: .*nonexistent/,
		"opensearch_credentials = hunter2\n" =>
			qr/opensearch_credentials: has to be USER:PASSWORD or ApiKey KEY/,
		"opensearch_credentials_file = /nonexistent\n" =>
			qr/opensearch_credentials_file: .*nonexistent/,
		"log_level = \"info\n" => qr/bad\.conf:/,
	);

	for my $text (sort keys %cases) {
		open my $file, '>', $conf or die $!;
		print $file $text;
		close $file;
		my $result = $daemon->run_backfilld('--check-config', '-c', $conf);
		is $result->{status}, 78, 'exit status 78';
		like $result->{out} . $result->{err}, $cases{$text}, 'it says where and what';
	}
	my $good = $daemon->run_backfilld('--check-config', '-c',
		"$Backfilld::Test::SRCDIR/etc/backfilld.conf");
	is $good->{status}, 0, 'the configuration that we ship is fine'
		or diag $good->{out} . $good->{err};
};

subtest 'closed standard descriptors do no harm' => sub {
	my $other = Backfilld::Test->new;
	my $pid = fork() // die $!;
	if ($pid == 0) {
		POSIX::close($_) for 0 .. 2;
		exec("$Backfilld::Test::BUILDDIR/backfilld", '-c', $other->{conf})
			or POSIX::_exit(127);
	}
	wait_for { -s "$other->{dir}/run/http.address" } 30, 'it to start';
	my $fds = proc_fds($pid);
	is_deeply [@$fds{0 .. 2}], [('/dev/null') x 3], 'they are /dev/null';
	kill 'TERM', $pid;
	waitpid $pid, 0;
	is $?, 0, 'and it stops as ever';
	$other->{is_finished} = 1;
};

$daemon->finish;
done_testing;
