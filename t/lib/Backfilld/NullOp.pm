package Backfilld::NullOp;

# A libexec directory in which `did-sync` is t/workers/null-op, which behaves as
# the first label of its DID says.  The services are the real ones.

use strict;
use warnings;
use Exporter 'import';
use File::Copy ();
use File::Temp ();

our @EXPORT = qw(null_op_libexec null_op_did libexec_for_all put_executable);

my $count = 0;

# Returns the directory, removed at the end of the test.
sub null_op_libexec {
	my $build = $Backfilld::Test::BUILDDIR;
	my $dir = File::Temp::tempdir('backfilld-x-XXXXXX', TMPDIR => 1, CLEANUP => 1);

	symlink "$build/t/workers/null-op", "$dir/did-sync" or die "symlink: $!";
	symlink "$build/$_", "$dir/$_" or die "symlink: $!"
		for qw(backfill-indexer backfill-resolver backfill-api);
	return $dir;
}

# The same for a daemon whose worker_user is another one, who may not be let into the
# directories above the build: copies, of this worker as did-sync.
sub libexec_for_all {
	my ($worker) = @_;
	my $dir = File::Temp::tempdir('backfilld-x-XXXXXX', TMPDIR => 1, CLEANUP => 1);

	chmod 0755, $dir or die "$dir: $!";
	put_executable("t/workers/$worker", "$dir/did-sync");
	put_executable($_, "$dir/$_") for qw(backfill-indexer backfill-resolver backfill-api);
	return $dir;
}

sub put_executable {
	my ($from, $to) = @_;
	File::Copy::copy("$Backfilld::Test::BUILDDIR/$from", $to) or die "$to: $!";
	chmod 0755, $to or die "$to: $!";
}

# A DID that makes the worker do that; each call gives another one.
sub null_op_did {
	my ($what) = @_;
	return "did:web:$what.n" . ++$count . '.test';
}

1;
