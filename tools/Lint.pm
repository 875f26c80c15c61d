package Lint;

# What the checks of tools/ share: the files of the source tree, and a way to
# complain.  A check prints "file:line: what is wrong" and exits with status 1.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Find ();
use FindBin;

our @EXPORT = qw(source_files lines_of text_of complain finish);

our $root = Cwd::abs_path("$FindBin::Bin/..");
my $complaints = 0;

# Files below the directories, relative to the source root, whose path matches.
sub source_files {
	my ($pattern, @dirs) = @_;
	my @found;

	for my $dir (grep { -e "$root/$_" } @dirs) {
		File::Find::find({ no_chdir => 1, wanted => sub {
			$File::Find::prune = 1
				if -d && m{/(?:node_modules|build[^/]*|state|\.git)$};
			my $path = substr $_, length($root) + 1;
			push @found, $path if -f && $path =~ $pattern;
		} }, "$root/$dir");
	}
	return sort @found;
}

sub lines_of {
	my ($path) = @_;
	open my $file, '<', "$root/$path" or die "$path: $!\n";
	chomp(my @lines = <$file>);
	return @lines;
}

# Empty for a file that is not there.
sub text_of {
	my ($path) = @_;
	return -e "$root/$path" ? join "\n", lines_of($path), '' : '';
}

# Line 0: it is about the whole file.
sub complain {
	my ($path, $line, $text) = @_;
	print $line ? "$path:$line: $text\n" : "$path: $text\n";
	$complaints++;
}

sub finish {
	exit($complaints ? 1 : 0);
}

1;
