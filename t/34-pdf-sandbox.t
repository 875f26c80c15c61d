# pdf-text: what pdftotext can do in its sandbox, and what one that was taken over
# by a PDF cannot.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use File::Temp;
use Test::More;

use Backfilld::PdfBombs;

my $builddir = $ENV{BF_BUILDDIR} || '.';
my $vectors = $ENV{BACKFILLD_VECTORS} || '../shared/vectors';
my $helper = "$builddir/pdf-text";
my $probe = "$builddir/t/workers/pdf-probe";
my $tool = '/usr/bin/pdftotext';
my $dir = File::Temp->newdir;

# Limits of limits.h, which the tests below name: what a helper gets.
my %limits = limits(qw(LIMIT_PDF_MEMORY_BYTES LIMIT_PDF_CPU_SECS LIMIT_PDF_FILES
	LIMIT_PDF_TEXT_BYTES));

my $check = run(input => '', '--check', $probe);
my ($sandbox, $version) = split /\n/, $check->{stdout};
is $check->{status}, 0, 'the check succeeds';
is $version, 'pdf-probe version 1', '... and tells the version of the tool';
like $sandbox, qr/^network .*, files .*, system calls .*, limits active$/,
	"... and the sandbox: $sandbox";

SKIP: {
	skip 'no pdftotext here', 3 unless -x $tool;
	skip "no test vectors at $vectors", 3 unless -d $vectors;
	my $paper = run(file => "$vectors/s2orc-doc2json/tests/pdf/N18-3011.pdf", $tool);
	is $paper->{status}, 0, 'a real paper is read in the sandbox';
	like $paper->{stdout}, qr/^\f?References\n/m, '... up to its references';
	my $junk = run(input => "%PDF-1.4\nnothing of a PDF\n", $tool);
	is $junk->{status} >> 8, 1, 'what only begins like a PDF is told as such';
}

sub act {
	my ($word) = @_;
	return run(input => "%PDF-1.4\n$word\n", $probe);
}

sub needs {
	my ($part, $count) = @_;
	skip "$part are not available here", $count unless $sandbox =~ /\b$part active/;
}

SKIP: {
	needs('system calls', 4);
	is act('socket')->{status} & 127, 31, 'opening a socket is the end (SIGSYS)';
	is act('fork')->{status} & 127, 31, 'a new process is the end';
	like act('write')->{stdout}, qr/not permitted|denied/, 'no file can be written';
	ok !-e '/tmp/pdf-probe-was-here', '... and none was';
}
SKIP: {
	needs('files', 2);
	like act('read')->{stdout}, qr/Permission denied/, 'other files cannot be read';
	like act('shell')->{stdout}, qr/Permission denied/, '... or run';
}
my $memory = act('memory')->{stdout};
like $memory, qr/^Cannot allocate memory after \d+ MiB/, 'memory has an end';
cmp_ok +($memory =~ /after (\d+)/)[0] << 20, '<=', $limits{LIMIT_PDF_MEMORY_BYTES},
	'... at LIMIT_PDF_MEMORY_BYTES';
my $files = act('files')->{stdout};
like $files, qr/^Too many open files after (\d+)/, 'descriptors have an end';
cmp_ok +($files =~ /after (\d+)/)[0], '<', $limits{LIMIT_PDF_FILES},
	'... at LIMIT_PDF_FILES';

# Of the processor only what the test has time for; what the helper sets is read
# from its own limits.
my $spin = run(input => "%PDF-1.4\nspin\n", shell => 'ulimit -t 1; exec', $probe);
is $spin->{status} & 127, 9, 'the limit of processor time kills';
is act('limits')->{stdout}, "$limits{LIMIT_PDF_CPU_SECS}\n",
	'... which is LIMIT_PDF_CPU_SECS and never raised';

subtest 'F96: PDFs that are bombs, and pdftotext itself' => sub {
	plan skip_all => 'no pdftotext here' if !-x $tool;
	my %bombs = pdf_bombs();
	for my $name (sort keys %bombs) {
		my $end = run(input => $bombs{$name}, shell => 'ulimit -t 30; exec', $tool);
		isnt $end->{status} & 127, 9, "$name: over before its time is";
		cmp_ok length $end->{stdout}, '<', $limits{LIMIT_PDF_TEXT_BYTES},
			'... with little text';
	}
	my $endless = run(input => endless_forms(), shell => 'ulimit -t 2; exec', $tool);
	is $endless->{status} & 127, 9, 'what would go on for years is killed';
};

my $nothing = run(input => '', "$dir/no-tool");
is $nothing->{status} >> 8, 126, 'a tool that is not there has a status of its own';
like $nothing->{stderr}, qr/no-tool: No such file/, '... and is named';
is run(input => '')->{status} >> 8, 2, 'usage';
done_testing;

# Run the helper with arguments.  file or input: its standard input, a file.
sub run {
	my ($kind, $from, @args) = @_;
	my @command = ($helper, @args);
	my $path = $kind eq 'file' ? $from : "$dir/input";

	if ($kind eq 'input') {
		open my $out, '>', $path or die "$path: $!";
		print $out $from;
		close $out;
	}
	@command = ('/bin/sh', '-c', "$args[1] \"\$@\"", 'sh', $helper, $args[2])
		if @args && $args[0] eq 'shell';
	# Its output is a pipe: it may not write to files.
	my $pid = open my $out, '-|';
	die "fork: $!" unless defined $pid;
	if ($pid == 0) {
		open STDIN, '<', $path or die "$path: $!";
		open STDERR, '>', "$dir/err" or die $!;
		exec { $command[0] } @command or die "$command[0]: $!";
	}
	local $/;
	my $stdout = <$out>;
	close $out;
	return { status => $?, stdout => $stdout // '', stderr => slurp("$dir/err") };
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar <$file>;
}

sub limits {
	my %wanted = map { $_ => 1 } @_;
	my %value;
	open my $file, '<', ($ENV{BF_SRCDIR} || '.') . '/src/common/limits.h' or die $!;
	while (<$file>) {
		next unless /^#define\s+(LIMIT_\w+)\s+(.*?)(?:\s*\/\*.*)?$/ && $wanted{$1};
		my ($name, $text) = ($1, $2);
		$text =~ s/ull\b//g;
		$value{$name} = eval $text;	# digits, * and parentheses
	}
	return %value;
}
