# Each fuzz target for a few seconds over its seeds (fuzz/local.mk), in a build with
# clang that BF_FUZZ_BUILDDIR names; quickstart test makes it.

use strict;
use warnings;
use File::Temp ();
use Test::More;

use constant SECONDS => $ENV{BF_FUZZ_SECONDS} || 3;

my $build = $ENV{BF_FUZZ_BUILDDIR};
plan skip_all => 'no fuzz targets: BF_FUZZ_BUILDDIR is not set' unless $build;
my $corpus = ($ENV{BF_SRCDIR} || '.') . '/fuzz/corpus';
my @targets = map { s{.*/}{}r } glob "$corpus/*";
ok @targets >= 10, 'the seeds of all targets are there';

for my $target (@targets) {
	my $dir = File::Temp::tempdir('backfilld-f-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	my $log = "$dir/log";
	mkdir "$dir/found" or die $!;
	system "'$build/fuzz/$target' -max_total_time=" . SECONDS . ' -timeout=10 '
		. "-rss_limit_mb=1024 -max_len=65536 -artifact_prefix='$dir/' "
		. "'$dir/found' '$corpus/$target' >'$log' 2>&1";
	my $status = $?;
	open my $file, '<', $log or die $!;
	my @lines = <$file>;
	my ($runs) = join('', @lines) =~ /Done (\d+) runs/;
	ok $status == 0 && $runs, "$target: " . ($runs // 0) . ' inputs in ' . SECONDS . ' s'
		or diag @lines > 40 ? @lines[-40 .. -1] : @lines;
}
done_testing;
