# backfillctl repo: verdicts, lists and exports of CAR files, and that they equal
# what the reference implementation reads from the same files.

use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use Test::More;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Net;

my $srcdir = $ENV{BF_SRCDIR} || '.';
my $ctl = ($ENV{BF_BUILDDIR} || '.') . '/backfillctl';
my $vectors = $ENV{BACKFILLD_VECTORS} || "$srcdir/../shared/vectors";
my $dir = File::Temp->newdir;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;

subtest 'a usage error is told and is status 2' => sub {
	for my $args ([], ['frob', 'x'], ['verify'], ['verify', 'a', 'b'],
		['verify', '--frob', 'a'], ['verify', 'a', '--did', 'nonsense'],
		['ls', 'a', '--collection', 'pub.chive*'],
		['verify', 'a', '--key', 'did:key:x', '--did-doc', 'b']) {
		my ($status, undef, $err) = run_ctl(@$args);
		is $status, 2, "repo @$args";
		like $err, qr/usage/, 'says how it is used';
	}
	for my $case ([ '--bogus: is not an option of it', 'verify', 'a', '--bogus' ],
		[ '--bogus: is not an option of it', 'ls', '--bogus', 'a' ],
		[ '--did: needs a value', 'verify', 'a', '--did' ],
		[ '--json: is for verify only', 'export', 'a', '--json' ],
		[ '--json: is for verify only', 'ls', 'a', '--json' ]) {
		my ($why, @args) = @$case;
		my ($status, undef, $err) = run_ctl(@args);
		is $status, 2, "repo @args";
		like $err, qr/^backfillctl repo: \Q$why\E$/m, "says: $why";
	}
	my ($status, undef, $err) = run_ctl('ls', "$dir/absent.car");
	is $status, 71, 'a file that is not there';
	like $err, qr/absent\.car: No such file/, 'is named';
};

subtest 'the synthetic vectors get their verdicts' => sub {
	plan skip_all => "no test vectors at $vectors" if !-d $vectors;
	my $manifest = read_json("$vectors/derived/synthetic-cars/manifest.json");

	for my $file (@{ $manifest->{files} }) {
		next if $file->{expect} eq 'accept-or-reject';
		my $path = "$vectors/derived/synthetic-cars/$file->{file}";
		my $key = "did:key:$manifest->{dids}{ $file->{did} }{key}";
		my ($status, $out) = run_ctl('verify', $path, '--did', $file->{did},
			'--key', $key, '--json');
		my $verdict = $json->decode($out);
		my $is_bad = $file->{expect} =~ /^reject(?!-record)/;

		is $status, $is_bad ? 1 : 0, "$file->{file}: $file->{why}";
		ok !!$verdict->{valid} == !$is_bad, 'and the JSON says so';
		ok $verdict->{message}, "reason: $verdict->{message}" if $is_bad;
		is scalar @{ $verdict->{bad} }, $file->{expect} eq 'reject-record' ? 1 : 0,
			'bad records are listed' if !$is_bad;
	}
};

subtest 'a DID document gives the key' => sub {
	plan skip_all => "no test vectors at $vectors" if !-d $vectors;
	my $manifest = read_json("$vectors/derived/synthetic-cars/manifest.json");
	my $did = 'did:plc:k256testaaaaaaaaaaaaaaaa';
	my $car = "$vectors/derived/synthetic-cars/good-k256.car";

	write_file("$dir/doc.json", $json->encode($manifest->{dids}{$did}{did_doc}));
	my ($status, $out) = run_ctl('verify', $car, '--did-doc', "$dir/doc.json");
	is $status, 0, 'valid';
	like $out, qr/^valid: \Q$did\E at 3mvan7ylpmc2w$/m, 'says whose, and when';
	like $out, qr/^signature checked$/m, 'with its signature';
	(undef, $out) = run_ctl('verify', $car);
	like $out, qr/^signature not checked/m, 'without a key it says what it left out';
	($status, undef, my $err) = run_ctl('verify',
		"$vectors/derived/synthetic-cars/good-p256.car", '--did-doc', "$dir/doc.json");
	is $status, 1, "another account's document";
	like $err, qr/its id is not did:plc:p256test/, 'is told';
};

subtest 'standard input, and a collection alone' => sub {
	plan skip_all => "no test vectors at $vectors" if !-d $vectors;
	my $car = "$vectors/derived/synthetic-cars/good-k256.car";
	my (undef, $all) = run_ctl('ls', $car);
	my $piped = `'$ctl' repo ls - < '$car'`;
	is $piped, $all, '- reads the same from standard input';
	my (undef, $some) = run_ctl('ls', $car, '--collection', 'app.bsky.graph.*');
	is $some, join('', grep { /^app\.bsky\.graph\./ } split /^/, $all), 'a pattern selects';
	(undef, $some) = run_ctl('export', $car, '--collection', 'app.bsky.feed.post');
	my @posts = map { $json->decode($_) } split /\n/, $some;
	ok @posts > 0, 'export gives lines of JSON';
	is_deeply [grep { $_->{value}{'$type'} ne 'app.bsky.feed.post' } @posts], [],
		'of that collection alone';
};

subtest 'every CAR reads as the reference implementation reads it' => sub {
	plan skip_all => "no test vectors at $vectors" if !-d $vectors;
	need_reference();
	for my $car (sample_cars()) {
		compare_with_reference($car);
	}
};

subtest 'repositories that the reference implementation makes' => sub {
	need_reference();
	for my $count (0, 1, 7, 100, 1500) {
		my $car = "$dir/made-$count.car";
		my $who = $json->decode(reference('make', $car, $count));
		my ($status, $out) = run_ctl('verify', $car, '--did', $who->{did},
			'--key', $who->{key}, '--json');
		is $status, 0, "$count records are valid";
		is $json->decode($out)->{records}, $count, 'all of them';
		compare_with_reference($car);
	}
};

done_testing;

sub need_reference {
	return if Backfilld::Net->is_available;
	die "run t/net/install first\n" if $ENV{CI};
	plan skip_all => 'the reference implementation is not installed: run t/net/install';
}

# All that a full reader takes: not the partial one, not those with bad records,
# which the reference reads on without a word.
sub sample_cars {
	my @cars = map { "$vectors/$_->{file}" }
		grep { !$_->{mst_nodes_missing} } @{ read_json("$vectors/derived/car_expectations.json") };
	my $manifest = read_json("$vectors/derived/synthetic-cars/manifest.json");

	push @cars, map { "$vectors/derived/synthetic-cars/$_->{file}" }
		grep { $_->{expect} =~ /^accept(?!-or)/ } @{ $manifest->{files} };
	return @cars;
}

sub compare_with_reference {
	my ($car) = @_;
	my %theirs;
	my (@ours, @their_list);
	my ($name) = $car =~ m{([^/]+)$};

	for my $line (split /\n/, reference('list', $car)) {
		my ($path, $cid, $value) = split /\t/, $line, 3;
		push @their_list, "$path $cid";
		$theirs{$path} = $json->encode($json->decode($value));
	}
	my (undef, $list) = run_ctl('ls', $car);
	@ours = map { join ' ', (split /\t/)[0, 1] } split /\n/, $list;
	is_deeply \@ours, \@their_list, "$name: keys and CIDs, " . @ours . ' of them';

	my (undef, $export) = run_ctl('export', $car);
	my @different;
	for my $line (split /\n/, $export) {
		my $record = $json->decode($line);
		my ($path) = $record->{uri} =~ m{^at://[^/]+/(.*)$};
		push @different, $path if $json->encode($record->{value}) ne $theirs{$path};
		delete $theirs{$path};
	}
	is_deeply [@different, keys %theirs], [], "$name: the JSON of every record";
}

sub reference {
	my @command = ('node', "$srcdir/t/net/reference.mjs", @_);
	open my $from, '-|', @command or die "node: $!";
	my $out = do { local $/; <$from> };
	close $from or die "@command: status $?";
	return $out // '';
}

# Exit status, standard output, standard error.
sub run_ctl {
	my @args = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDOUT, '>', "$dir/out" or die;
		open STDERR, '>', "$dir/err" or die;
		exec $ctl, 'repo', @args or die "$ctl: $!";
	}
	waitpid $pid, 0;
	my $status = $? >> 8;
	is $? & 127, 0, "@args: no signal" if $? & 127;
	return ($status, read_file("$dir/out"), read_file("$dir/err"));
}

sub read_file {
	open my $file, '<:raw', $_[0] or die "$_[0]: $!";
	local $/;
	return <$file> // '';
}

sub write_file {
	open my $file, '>:raw', $_[0] or die "$_[0]: $!";
	print $file $_[1];
	close $file or die;
}

sub read_json { return $json->decode(read_file($_[0])) }
