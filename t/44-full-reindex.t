# full-reindex makes what is indexed searchable, beside what is searched meanwhile.

use strict;
use warnings;
use utf8;
use Test::More;
use File::Temp ();
use JSON::PP ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Lexicon;
use Backfilld::Test;
use Backfilld::WriteOp;

my $libexec = File::Temp->newdir;
my ($ann, $bea) = map { 'did:plc:' . $_ x 24 } qw(a b);
my $EPRINT = 'pub.chive.eprint.submission';

sub eprint {
	my ($title, %more) = @_;
	return { '$type' => $EPRINT, title => $title, %more };
}

my %birds = ("$EPRINT/3ka" => eprint('Birds of Zürich', keywords => [qw(wing feather)],
		authors => [ { name => 'Ann Gull' }, { name => 'Ümit Lark' } ]),
	"$EPRINT/3kb" => eprint('Flight', abstract => [ { text => 'How birds fly' } ]),
	'app.bsky.feed.post/3kc' => { text => 'birds, not searched' });
my %cats = ("$EPRINT/3kd" => eprint('Cats', abstractPlainText => 'They watch birds'));

symlink "$Backfilld::Test::BUILDDIR/$_", "$libexec/$_"
	for qw(backfill-indexer backfill-resolver backfill-api full-reindex);
Backfilld::WriteOp::install($libexec, 'write-op', { $ann => \%birds, $bea => \%cats });

my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec" });
$daemon->start;

sub run_op {
	my ($type, %params) = @_;
	return $daemon->wait_finished($daemon->trigger($type, %params));
}

# Record keys of the hits in their order.
sub found {
	my (@args) = @_;
	my $got = $daemon->ctl('search', @args);
	return join ' ', map { $_->{uri} =~ s{.*/}{}r } @{ $got->{lines} };
}

sub xrpc_search { return $daemon->xrpc_get('searchRecords', { @_ }) }

subtest 'before' => sub {
	my $answer = xrpc_search(q => 'birds');
	is $answer->{status}, 400, 'nothing to search yet';
	is $answer->{json}{error}, 'NoSearchIndex', 'is said by name';
	is $daemon->ctl('search', 'birds')->{status}, 3, 'and by backfillctl';
	is run_op('full-reindex')->{status}, 'completed', 'an empty index is indexed';
	is found('birds'), '', 'and nothing is found';
	is run_op('write-op')->{status}, 'completed', 'two repositories are there';
};

subtest 'all that is indexed' => sub {
	my $op = run_op('full-reindex');
	is $op->{status}, 'completed', 'completed';
	is $op->{recordsProcessed}, 3, 'three records were looked at';
	is $op->{totalRecords}, 3, 'of three';
	is found('birds'), '3ka 3kb 3kd', 'by any field, the title first';
	is found('zurich'), '3ka', 'accents do not matter';
	is found('authors:lark'), '3ka', 'in one field';
	is found('title:gull'), '', 'and not in another';
	is found('birds -cats'), '3ka 3kb', 'without';
	is found('feath*'), '3ka', 'the beginning of a word';
	is found('birds', '--limit', 1, '--skip', 1), '3kb', 'pages';
	is found('birds', '--collection', 'app.bsky.feed.post'), '', 'a collection';
	is $daemon->ctl('search', '--', '-birds')->{status}, 2, 'a query without a word';
};

subtest 'over XRPC' => sub {
	my $answer = xrpc_search(q => 'birds', limit => 2);
	is $answer->{status}, 200, 'found';
	is_deeply [ Backfilld::Lexicon::output_faults('searchRecords', $answer->{json}) ], [],
		'as the lexicon says';
	is $answer->{json}{hits}[0]{title}, 'Birds of Zürich', 'title';
	is $answer->{json}{hits}[0]{uri}, "at://$ann/$EPRINT/3ka", 'uri';
	$answer = xrpc_search(q => 'birds', limit => 2, cursor => $answer->{json}{cursor});
	is_deeply [ map { $_->{title} } @{ $answer->{json}{hits} } ], ['Cats'], 'next page';
	ok !exists $answer->{json}{cursor}, 'and no further one';
	for my $bad ([], [ q => '' ], [ q => '-x' ], [ q => 'x', limit => 101 ],
		[ q => 'x', cursor => 'y' ], [ q => 'x' x 1025 ], [ q => 'x', cursor => 10001 ]) {
		my $refused = xrpc_search(@$bad);
		is $refused->{status}, 400, "@$bad[0 .. $#$bad]" =~ s/(.{40}).*/$1.../r;
		is $refused->{json}{error}, 'InvalidRequest', 'by name';
	}
	is xrpc_search(q => '"" AND (NEAR* OR : "')->{status}, 200,
		'what SQLite would not understand is text';
};

# LIMIT_SEARCH_FIELD_BYTES
subtest 'titles that fill screens' => sub {
	my %titles = ('3kl' => 'Larks ' . 'ü' x 60_000, '3km' => 'Larks ' . "e\x{301}" x 100
		. "\x{301}" x 40_000, '3kn' => "Larks\e[31m and more \x{202e}" . '鳥' x 300);
	Backfilld::WriteOp::install($libexec, 'write-op', { $bea => { %cats,
		map { ("$EPRINT/$_" => eprint($titles{$_})) } keys %titles } });
	is run_op('write-op')->{status}, 'completed', 'are indexed';
	is run_op('full-reindex')->{status}, 'completed', 'and can be searched';
	my %whole = map { $_->{uri} =~ s{.*/}{}r => $_->{title} }
		@{ $daemon->ctl('search', 'larks')->{lines} };
	is_deeply [ map { length } @whole{ sort keys %titles } ],
		[ map { length } @titles{ sort keys %titles } ], 'JSON has all of them';

	local $ENV{LC_ALL} = 'C.UTF-8';
	my $got = Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl", '-s',
		$daemon->socket, 'search', 'larks');
	utf8::decode($got->{out}) or fail 'cut within a character';
	my @lines = grep { /\A  \d  Larks/ } split /\n/, $got->{out};
	is scalar @lines, 3, 'each title is one line for people';
	like $_, qr/\A  \d  Larks.*…\z/, 'which tells that it was cut' for @lines;
	unlike $got->{out}, qr/[\e\x{202e}]/, 'and steers no terminal';
	my ($plain, $accents, $wide) = map { my $what = $_; (grep { /$what/ } @lines)[0] }
		'üü', "\x{301}", '鳥';
	is length $plain, 200, 'of 200 columns';
	cmp_ok length $accents, '<', 200 * 16, 'accents without end have one, too';
	cmp_ok length($wide) + ($wide =~ tr/鳥//), '<=', 200, 'by the width of characters';
	cmp_ok length($wide) + ($wide =~ tr/鳥//), '>', 197, '... all of it';
};

subtest 'changes' => sub {
	delete $birds{"$EPRINT/3kb"};
	$birds{"$EPRINT/3ka"}{title} = 'Planes';
	Backfilld::WriteOp::install($libexec, 'write-op', { $ann => \%birds, $bea => \%cats });
	is run_op('write-op')->{status}, 'completed', 'an update and a delete';
	is found('birds'), '3ka 3kb 3kd', 'the old index is searched until then';
	is run_op('full-reindex', batchSize => 1)->{status}, 'completed', 'one at a time';
	is found('birds'), '3kd', 'only what is there';
	is found('planes'), '3ka', 'as it is now';
};

subtest 'a record that is none' => sub {
	my %bad = (%birds, "$EPRINT/3kx" => \"\xff not cbor");
	Backfilld::WriteOp::install($libexec, 'write-op', { $ann => \%bad });
	is run_op('write-op')->{status}, 'completed', 'it is in the index';
	my $id = $daemon->trigger('full-reindex');
	my $op = $daemon->wait_finished($id);
	is $op->{status}, 'failed', 'the new index is not taken';
	is $op->{error} =~ /1 of 3 records/ ? 1 : $op->{error}, 1, 'and says why';
	like $daemon->ctl('show', $id, '--items')->{out}, qr{at://$ann/$EPRINT/3kx},
		'the item is named';
	is found('planes'), '3ka', 'the old index is searched';

	$daemon->set(search_allow_failed => 'true');
	$daemon->stop;
	$daemon->start;
	$op = run_op('full-reindex');
	is $op->{status}, 'completed', 'unless one is told to';
	is $op->{itemsFailed}, 1, 'the item is counted';
	is found('planes'), '3ka', 'the others are found';
};

# Of one that has failed nothing is left, least of all on a disk that is full.
subtest 'an index that cannot be finished' => sub {
	my $dir = $daemon->dir . '/state/search';
	unlink "$dir/live.db" or die "live.db: $!";
	mkdir "$dir/live.db" or die "live.db: $!";
	my $op = run_op('full-reindex');
	is $op->{status}, 'failed', 'is none';
	is $op->{errorClass}, 'index-failed', '... and why is told' or diag $op->{error};
	is_deeply [ glob "$dir/building-*" ], [], 'its file is gone';
	rmdir "$dir/live.db" or die "live.db: $!";
	is run_op('full-reindex')->{status}, 'completed', 'the next one can be';
};

$daemon->finish;
done_testing;
