# backfillctl doctor: what is well, what is not, and what to do.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::NullOp;
use Backfilld::Test;

my $libexec = libexec_for_all('null-op');
my $daemon = Backfilld::Test->new(settings => {
	libexec_dir => $libexec, $> == 0 ? (worker_user => 'nobody') : (),
});
chmod 0711, $daemon->dir;
$daemon->start;

# {what => {verdict, found, advice}}, and the exit status.
sub doctor {
	my $result = ($_[0] || $daemon)->ctl('doctor');
	return ({ map { $_->{check} => $_ } @{ $result->{lines} } }, $result->{status});
}

# What became of confinement comes after a service is ready.
wait_for { (doctor())[0]{'backfill-api system calls'} } 30, 'the API to report';

subtest 'a daemon that is well' => sub {
	my ($found, $status) = doctor();
	is $status, 0, 'status 0';
	is_deeply [grep { $found->{$_}{verdict} eq 'wrong' } sort keys %$found], [],
		'nothing is wrong';
	for my $what ('version', 'state_dir', 'runtime_dir', 'file system', 'operations/',
		'readers', 'descriptors', 'backfill-indexer', 'backfill-resolver',
		'backfill-api') {
		is $found->{$what}{verdict}, 'ok', "$what: $found->{$what}{found}";
	}
	like $found->{clock}{found}, qr/./, "clock: $found->{clock}{found}";
	like $found->{'disk space'}{found}, qr/free/, 'the room on the disk';
	like $found->{types}{found}, qr/not installed:.* pds-scan/, 'the types';
};

subtest 'it tells the same of confinement as the log' => sub {
	my ($found) = doctor();
	for my $part ('files', 'system calls') {
		my $lacks = $daemon->log =~ /containment: $part cannot be taken/;
		for my $program (qw(backfill-indexer backfill-resolver backfill-api)) {
			my $check = $found->{"$program $part"};
			is $check->{verdict}, $lacks ? 'weak' : 'ok', "$program $part";
			like $check->{found}, $lacks ? qr/^not confined: \w/ : qr/^confined$/,
				'... in words';
		}
	}
	ok !$found->{'did-sync files'}, 'nothing of a type that has not run';
	$daemon->wait_finished($daemon->trigger('did-sync', did => null_op_did('finish')));
	($found) = doctor();
	ok $found->{'did-sync files'}, 'it is there once it has';
};

subtest 'what is wrong is said, with what to do' => sub {
	chmod 0777, $daemon->dir . '/state' or die $!;
	chmod 0644, $daemon->{conf} or die $!;
	my ($found, $status) = doctor();
	is $status, 1, 'status 1';
	is $found->{state_dir}{verdict}, 'wrong', 'a state directory for everybody';
	like $found->{state_dir}{advice}, qr/chmod 7[01][01]/, '... can be mended';
	is $found->{configuration}{verdict}, 'wrong', 'a password for everybody';
	like $found->{configuration}{advice}, qr/chmod|hash/, '... too';
	chmod 0711, $daemon->dir . '/state';
	chmod 0600, $daemon->{conf};
	(undef, $status) = doctor();
	is $status, 0, 'and then it is well again' if $> == 0;
};

subtest 'a password in a file of its own' => sub {
	my $other = Backfilld::Test->new(settings => { libexec_dir => $libexec });
	my $file = $other->dir . '/password';
	open my $out, '>', $file or die "$file: $!";
	print $out "correct horse\n";
	close $out;
	delete $other->{settings}{admin_password};
	$other->set(admin_password_file => $file);
	chmod 0644, $file, $other->{conf};
	$other->start;
	my ($found) = doctor($other);
	is $found->{configuration}{verdict}, 'ok', 'the configuration may be read by all';
	is $found->{'admin password'}{verdict}, 'wrong', 'the file may not';
	chmod 0600, $file;
	($found) = doctor($other);
	is $found->{'admin password'}{verdict}, 'ok', 'and then it is well';
	$other->finish;
};

subtest 'a service that does not run' => sub {
	my $pid = $daemon->wait_child('backfill-resolver');
	$daemon->expect_error(qr/backfill-resolver: /);
	unlink "$libexec/backfill-resolver" or die $!;
	kill 'KILL', $pid;
	wait_for { (doctor())[0]{'backfill-resolver'}{verdict} eq 'wrong' } 30,
		'the doctor to see it';
	pass 'is wrong';
	put_executable('backfill-resolver', "$libexec/backfill-resolver");
	wait_for { (doctor())[0]{'backfill-resolver'}{verdict} eq 'ok' } 60,
		'the doctor to see it running';
	pass 'and is not any more';
};

subtest 'for people' => sub {
	my $result = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl",
		'-s', $daemon->socket, 'doctor');
	is $result->{status}, 0, 'status 0';
	like $result->{out}, qr/^ok +version +backfilld /m, 'a line each';
	like $result->{out}, qr/^weak +types .*\n {30,}these operations are refused/m,
		'and what to do below';
};

$daemon->finish;
done_testing;
