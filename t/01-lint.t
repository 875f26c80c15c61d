# The rules of the source tree that a machine can check (tools/check-*).

use strict;
use warnings;
use Test::More;

my $srcdir = $ENV{BF_SRCDIR} || '.';
my %checks = (
	docs => 'settings and messages are documented, limits tested',
	layers => 'every directory includes only what it may',
	man => 'the manual pages are valid and complete',
	mutants => 'each fault of the mutation check has its place',
	size => 'files and functions are short',
	words => 'nothing is in the tree that does not belong there',
);

for my $name (sort keys %checks) {
	my @complaints = qx("$^X" "$srcdir/tools/check-$name" 2>&1);
	my $status = $? >> 8;
	ok $status == 0 && !@complaints, $checks{$name} or diag @complaints;
}
done_testing;
