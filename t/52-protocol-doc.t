# docs/protocol.md tells the truth: its tables are those of messages.def, its
# bytes are what the codec makes, and its worker runs under the daemon.

use strict;
use warnings;
use Test::More;
use File::Temp ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Frames;
use Backfilld::Test;

my $dir = $Backfilld::Test::SRCDIR;
open my $file, '<', "$dir/docs/protocol.md" or die "$dir/docs/protocol.md: $!";
my $doc = do { local $/; <$file> };
close $file;

subtest 'the tables' => sub {
	my %is_told;
	while ($doc =~ /^\| (\d+) \| `(\w+)` \| ([\w, ]*) \|/mg) {
		my ($number, $name, $fields) = ($1, $2, $3);
		$is_told{$name} = 1;
		is $number, Backfilld::Frames::number_of($name), "the number of $name";
		is $fields, join(', ', Backfilld::Frames::fields_of($name)), 'its fields';
	}
	is_deeply [ sort keys %is_told ], [ sort(Backfilld::Frames::names()) ],
		'no message is missing';
};

subtest 'the names of errors' => sub {
	my %is_sent;
	for my $path (glob "$dir/src/supervisor/*.c") {
		open my $source, '<', $path or die "$path: $!";
		my $text = do { local $/; <$source> };
		$is_sent{$1} = 1 while $text =~ /(?:opctl_fail|client_send_error)\([^;"]*"(\w+)"/g;
	}
	my ($told) = $doc =~ /^Error names: (.*?)\n\n/ms;
	is_deeply [ sort { $a cmp $b } grep { /^[A-Z]/ } $told =~ /`(\w+)`/g ],
		[ sort { $a cmp $b } keys %is_sent ], 'are those that are sent';
};

subtest 'the example in bytes' => sub {
	my ($section) = $doc =~ /^## A worker in bytes\n(.*?)^## /ms;
	my @frames;
	for my $line (split /\n/, $section) {
		push @frames, '' if $line =~ / > /;
		$frames[-1] .= $1 =~ s/\s//gr if $line =~ /^ {4,}((?:[0-9a-f]{2}\s*)+)$/;
	}
	my @expected = (
		[ hello => version => Backfilld::Frames::version(), program => 'hello-op', pid => 4711 ],
		[ setting => name => 'log_level', value => 'info' ],
		[ hello => version => Backfilld::Frames::version(), program => 'backfilld', pid => 4710 ],
		[ assign => id => '3migo7fijwi2k', type => 'hello-op', attempt => 1 ],
		[ progress => stage => 'greet', processed => 1, total => 2 ],
		[ done => processed => 2, total => 2 ],
	);
	is_deeply \@frames, [ map { unpack 'H*', Backfilld::Frames::frame(@$_) } @expected ],
		'byte by byte';
};

subtest 'the worker in Perl' => sub {
	my ($code) = $doc =~ /^```perl\n(.*?)^```$/ms;
	my $libexec = File::Temp->newdir;
	open my $script, '>', "$libexec/hello-op" or die "$libexec/hello-op: $!";
	print $script $code;
	chmod 0755, $script;
	close $script;
	for my $service (qw(backfill-indexer backfill-resolver backfill-api)) {
		symlink "$Backfilld::Test::BUILDDIR/$service", "$libexec/$service";
	}
	my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec" });
	$daemon->start;
	my $got = $daemon->ctl('trigger', 'hello-op', '--wait');
	is $got->{status}, 0, 'it completes' or diag $got->{err};
	is $got->{json}{recordsProcessed}, 2, 'and says what it did';
	my $op = $daemon->ctl('show', $got->{json}{id}, '--events')->{json};
	is scalar(grep { ($_->{text} // '') eq 'hello from a script' } @{ $op->{events} }), 1,
		'its line is in the history';
	$daemon->finish;
};

done_testing;
