# etc/backfilld.conf tells the truth: every setting with the default that the
# program has, and all of it is a valid configuration.  What would break a process
# that gets it, or be passed over, is refused with its place.

use strict;
use warnings;
use Test::More;
use File::Temp ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Test;

my $srcdir = $Backfilld::Test::SRCDIR;

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

my $conf = slurp("$srcdir/etc/backfilld.conf");
my %said = $conf =~ /^#(\w+) = (.*)$/mg;
my $rows = slurp("$srcdir/src/common/settings.def") =~ s/\\\n\s*//gr;
my %is_there;

while ($rows =~ /X\((\w+), (\w+), (.*?), (\d+), (\d+),/g) {
	my ($kind, $name, $preset, $least, $most) = ($1, $2, $3, $4, $5);
	$preset =~ s/"\s+"//g;		# a long one has parts
	my $value = $said{$name} // '';

	$is_there{$name} = 1;
	if ($preset =~ /^BF_/) {
		like $value, qr{^"/\w.*"$}, "$name has a path";
	} else {
		$value =~ tr/"{}//d;
		$value =~ s/, / /g if $kind eq 'LIST';
		is qq("$value"), $preset, "$name has its default";
	}
	next if $kind ne 'NUMBER';
	my ($paragraph) = $conf =~ /((?:^#.*\n)*?^#\Q$name\E = )/m;
	like $paragraph, qr/\b$least\b.*\b$most\b/s, "$name is told with its range";
}
is_deeply [ sort keys %said ], [ sort keys %is_there ], 'no setting is missing or made up';

my $active = File::Temp->new;
print $active $conf =~ s/^#(\w+ = )/$1/mgr;
close $active;
my $got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfilld",
	'--check-config', '-c', "$active");
is $got->{status}, 0, 'with every line active it is valid' or diag $got->{err};
$got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfilld",
	'--check-config', '-c', "$srcdir/etc/backfilld.conf");
is $got->{status}, 0, 'and as it is';

sub refused {
	my ($text, $why, $what, $line) = @_;
	my $file = File::Temp->new;

	binmode $file;
	print $file $text;
	close $file;
	my $got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfilld",
		'--check-config', '-c', "$file");
	is $got->{status}, 78, "$what is refused";
	my $at = defined $line ? ":$line" : '(?::\d+)?';
	like $got->{err}, qr/\Q$file\E$at: $why$/m, 'and told';
}

my $schedule = 'schedule "mine" { type = "own-op" every = "1 h"';

# Until now the API, the resolver or all workers ended at each of their starts.
refused("log_level = \"info\"\ncontact = \"\xff\"\n", 'contact: is not UTF-8', 'Latin-1');
refused(qq(contact = "\\xff"\n), 'contact: is not UTF-8', 'an escape that is no UTF-8');
refused(qq(contact = "a\\r\\nHost: b"\n), 'contact: has a control character',
	'a line break');
refused(qq(admins = {"did:web:a\\x01"}\n), 'admins: has a control character',
	'a control character in a list');
refused('contact = "' . 'x' x 70_000 . qq("\n), 'contact: is longer than 61440 bytes',
	'more than LIMIT_SETTING_BYTES');
refused('admins = {' . join(', ', map { sprintf '"did:plc:%024d"', $_ } 1 .. 2000) . "}\n",
	'admins: is longer than 61440 bytes', 'a list of more than that');
refused("$schedule uri = \"\xff\" }\n", 'schedule "mine": uri: is not UTF-8',
	q(a parameter of one's own type, which would be told by every list,));
refused(qq(schedule "a\\nb" { type = "own-op" every = "1 h" }\n),
	'schedule: name: has a control character', 'a name of two lines');
refused("max_workers = 2\n/* not now:\nmax_queued = 7\n",
	'a comment that /\* begins has no end', 'a comment that hides the rest');
refused("max_workers = 2\n\0max_queued = nonsense\n", 'has a NUL byte',
	'a NUL, behind which nothing would be read,');

# Until now a worker told of these, or nobody: such a host was never scanned.
refused(qq(\nrelay_url = "relay.example.com"\n), 'relay_url = "relay.example.com": has to be '
	. 'a URL like https://example.com: neither https nor http', 'a URL without a scheme');
refused(qq(relay_url = "wss://relay.example.com"\n), 'relay_url = .*neither https nor http',
	'the scheme of a stream');
refused(qq(public_url = "https://example.com/backfill"\n), 'public_url = '
	. '"https://example.com/backfill": has to be a URL like https://example.com, '
	. 'without "/backfill"', 'a path where there may be none');
refused(qq(plc_directory = "https://plc_directory"\n), 'plc_directory = .*: not a host name',
	'a name that no host has');
refused(qq(grobid_url = "http://127.0.0.1:80700"\n), 'grobid_url = .*: not a port',
	'a port that there is none of');
refused(qq(crossref_url = "https://me:secret\@example.com"\n),
	'crossref_url = "...@...": .*: user name in it', 'a password in a URL, not to be told,');
refused('semantic_scholar_url = "https://' . 'x' x 9000 . qq(.example"\n),
	'semantic_scholar_url = "https://x{92}": .*: too long', 'a very long URL');
refused(qq(hosts = {"https://pds.example.com", "pds2.example.com"}\n),
	'hosts = "pds2.example.com": has to be a URL .*', 'a host in a list');
refused(qq(\n\nhosts = {"https://pds.example.com/xrpc"}\n), 'hosts = .* without "/xrpc"',
	'a path in a list', 3);
refused(qq(authority = "$_"\n), 'authority = ".*": has to be the authority of an NSID, '
	. 'like com.example.admin', "the authority '$_'") for '', 'admin', 'pub.chive/x', '.com.a';

my $daemon = Backfilld::Test->new(settings => { http_listen => '127.0.0.1:99999' });
$got = $daemon->run_backfilld('-c', $daemon->{conf});
is $got->{status}, 78, 'a port that there is none of is refused';
like $got->{err}, qr/"127.0.0.1:99999": its port has to be a number from 0 to 65535/,
	'and not cut to another one';
$daemon->{is_finished} = 1;

$daemon = Backfilld::Test->new;
my $link = $daemon->dir . '/link';
symlink '/nowhere/at/all', $link or die "$link: $!";
$daemon->set(runtime_dir => $link);
$got = $daemon->run_backfilld('-c', $daemon->{conf});
isnt $got->{status}, 0, 'a runtime_dir that is a link to nothing is refused';
like $got->{err}, qr/\Q$link\E: is a symbolic link to what is not there/, 'and told';
$daemon->{is_finished} = 1;
done_testing;
