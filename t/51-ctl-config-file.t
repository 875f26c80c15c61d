# etc/backfilld.conf tells the truth: every setting with the default that the
# program has, and all of it is a valid configuration.

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
done_testing;
