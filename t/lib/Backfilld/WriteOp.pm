package Backfilld::WriteOp;

# A type of operation, in Perl, that writes repositories as a test says: for tests
# of what is done with an index, without servers.
#
#	Backfilld::WriteOp::install($libexec, 'write-op', {
#		$did => { 'app.bsky.feed.post/a' => { text => 'hello' } } });
#
# What was indexed of these repositories before and is not named goes.  A record is
# a hash of text, numbers, lists and hashes; or raw bytes by reference.

use strict;
use warnings;
use Digest::SHA ();
use JSON::PP ();

my $srcdir = $ENV{BF_SRCDIR} || '.';

sub head {
	my ($major, $n) = @_;
	return chr($major << 5 | $n) if $n < 24;
	return pack 'CC', $major << 5 | 24, $n if $n < 256;
	return pack 'Cn', $major << 5 | 25, $n if $n < 65536;
	return pack 'CN', $major << 5 | 26, $n;
}

sub cbor {
	my ($value) = @_;
	if (ref $value eq 'HASH') {
		my %by_name = map { my $name = $_; utf8::encode($name); $name => $value->{$_} }
			keys %$value;
		return join '', head(5, scalar keys %by_name), map {
			head(3, length $_), $_, cbor($by_name{$_})
		} sort { length $a <=> length $b || $a cmp $b } keys %by_name;
	}
	return join '', head(4, scalar @$value), map { cbor($_) } @$value
		if ref $value eq 'ARRAY';
	return head(0, $value) if $value =~ /^(?:0|[1-9][0-9]{0,8})$/;
	utf8::encode($value) if utf8::is_utf8($value);
	return head(3, length $value) . $value;
}

sub install {
	my ($libexec, $name, $repos) = @_;
	my %hex;
	for my $did (keys %$repos) {
		while (my ($path, $record) = each %{ $repos->{$did} }) {
			$hex{$did}{$path} = unpack 'H*', ref $record eq 'SCALAR' ? $$record
				: cbor($record);
		}
		$hex{$did} ||= {};
	}
	my $data = JSON::PP->new->canonical->encode(\%hex);
	open my $script, '>', "$libexec/$name.new" or die "$libexec/$name: $!";
	print $script "#!$^X\n", "BEGIN { \$ENV{BF_SRCDIR} = '$srcdir' }\n",
		"use lib '$srcdir/t/lib';\nuse Backfilld::WriteOp;\n",
		"Backfilld::WriteOp::run(<<'DATA');\n$data\nDATA\n";
	close $script or die "$libexec/$name: $!";
	chmod 0755, "$libexec/$name.new";
	rename "$libexec/$name.new", "$libexec/$name" or die "$libexec/$name: $!";
}

# --- in the worker ---

sub open_fd {
	open my $fd, '+<&=', $_[0] or die "fd $_[0]: $!";
	return Backfilld::Frames->new($fd);
}

sub wait_msg {
	my ($peer, @names) = @_;
	while (1) {
		my $msg = $peer->receive or exit 69;
		return $msg if grep { $msg->{msg} eq $_ } @names;
	}
}

sub write_repo {
	my ($indexer, $did, $records) = @_;
	$indexer->send('begin', lane => 1, did => $did);
	wait_msg($indexer, 'state');
	$indexer->send('scan', lane => 1);
	while ((my $msg = wait_msg($indexer, 'entry', 'end'))->{msg} ne 'end') {
		$indexer->send('delete', lane => 1, path => $msg->{path})
			if !$records->{ $msg->{path} };
	}
	for my $path (sort keys %$records) {
		my $record = pack 'H*', $records->{$path};
		$indexer->send('put', lane => 1, path => $path, record => $record,
			cid => "\x01\x71\x12\x20" . Digest::SHA::sha256($record));
	}
	my $cid = "\x01\x71\x12\x20" . 'x' x 32;
	$indexer->send('commit', lane => 1, pds_url => 'https://pds.example',
		rev => '3migo7fijwi2k', commit_cid => $cid, data_cid => $cid,
		status => 'active');
	wait_msg($indexer, 'ack');
}

sub run {
	my ($data) = @_;
	require Backfilld::Frames;
	my $repos = JSON::PP::decode_json($data);
	my ($daemon, $indexer) = map { open_fd($_) } 3, 4;

	$_->send('hello', version => Backfilld::Frames::version(), program => 'write-op',
		pid => $$) for $daemon, $indexer;
	wait_msg($daemon, 'assign');
	write_repo($indexer, $_, $repos->{$_}) for sort keys %$repos;
	$daemon->send('done', processed => scalar keys %$repos,
		total => scalar keys %$repos);
}

1;
