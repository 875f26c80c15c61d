# citation-extraction against real PDSs: what documents cite, whose it is, and what
# becomes of it when documents, records and eprints change.

use strict;
use warnings;
use utf8;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Net;
use Backfilld::Pdf;
use Backfilld::Test;

use constant EPRINT => 'pub.chive.eprint.submission';

plan skip_all => 'pdftotext is not installed (poppler-utils)'
	if !-x '/usr/bin/pdftotext' && !$ENV{CI};

my $vectors = $ENV{BACKFILLD_VECTORS} || '../shared/vectors';
plan skip_all => "no test vectors at $vectors" unless -d $vectors;
my $net = Backfilld::Net->get;
my ($ann, $bob) = $net->seed(accounts => 2, records => 5);
my $daemon = Backfilld::Test->new(net => $net);
$daemon->start;

# Make an eprint; returns its URI.
sub eprint {
	my ($account, $title, $document, %more) = @_;
	return $account->create(EPRINT, { title => $title,
		defined $document ? (document => $account->upload_blob($document,
			$more{type} || 'application/pdf')) : (),
		defined $more{doi} ? (publishedVersion => { doi => $more{doi} }) : (),
	})->{uri};
}

sub sync {
	for my $account (@_) {
		my $id = $daemon->trigger('did-sync', did => $account->did);
		is $daemon->wait_finished($id, 120)->{status}, 'completed', 'synced';
	}
}

sub extract {
	my (%params) = @_;
	return $daemon->wait_finished($daemon->trigger('citation-extraction', %params), 180);
}

sub citations {
	my ($uri) = @_;
	return $daemon->ctl('citations', $uri)->{lines};
}

# "title -> URI by method" of those that were matched
sub matches {
	return { map { $_->{title} // $_->{raw} => "$_->{match}{uri} $_->{match}{method}" }
		grep { $_->{match} } @{ citations($_[0]) } };
}

sub slurp {
	open my $file, '<:raw', $_[0] or die "$_[0]: $!";
	local $/;
	return scalar <$file>;
}

my $paper = slurp("$vectors/s2orc-doc2json/tests/pdf/N18-3011.pdf");
my %uri;
$uri{graph} = eprint($ann, 'Construction of the Literature Graph in Semantic Scholar',
	$paper);
$uri{recommendation} = eprint($bob, 'Content-Based Citation  Recommendation!',
	pdf('Content-based citation recommendation', '', 'Some text about it.', '',
		'References', '',
		'[1] W. Ammar et al. Construction of the literature graph in semantic schol-',
		'ar. In NAACL, 2018.',
		'[2] A. Author. About things with an identifier. 2001. https://doi.org/10.1234/',
		'THINGS.7.',
		'[3] Nobody. Content-based citation recommendation. 2018.',
		'[4] Someone. A work that nobody here has written. 2019.'));
$uri{things} = eprint($bob, 'Über Dinge', pdf('About things', 'Nothing is cited.'),
	doi => 'https://doi.org/10.1234/Things.7');
$uri{page} = eprint($ann, 'A web page', '<html>References</html>', type => 'text/html');
$uri{none} = eprint($ann, 'Only a record');
$uri{broken} = eprint($bob, 'A broken file', "%PDF-1.4\n" . 'and nothing more ' x 200);
sync($ann, $bob);

my $last;
subtest 'all eprints' => sub {
	my $operation = $last = extract();

	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is $operation->{recordsProcessed}, 6, 'all eprints are processed';
	is $operation->{totalRecords}, 6, '... which it knew to be all';
	is $operation->{itemsFailed}, 3, 'three could not be done';
	my %class = map { $_->{item} => $_->{errorClass} }
		@{ $daemon->ctl('show', $operation->{id}, '--items')->{json}{items} };
	is_deeply \%class, { $uri{page} => 'not-pdf', $uri{none} => 'no-document',
		$uri{broken} => 'not-readable' }, '... each with its reason';
	like $daemon->log, qr/pdftotext version .*; its sandbox: network /,
		'the sandbox is told once';
};

subtest 'what failed is run again alone' => sub {
	my $retry = sub {
		my $answer = $daemon->ctl('retry', '--failed', $last->{id});
		return $daemon->wait_finished($answer->{json}{id}, 180);
	};
	is $retry->()->{status}, 'failed', 'nothing has changed: all fail again';
	my ($rkey) = $uri{none} =~ m{([^/]+)$};
	$ann->put(EPRINT, $rkey, { title => 'Only a record', document =>
		$ann->upload_blob(pdf('Now there is one'), 'application/pdf') });
	sync($ann);
	my $operation = $retry->();
	is $operation->{status}, 'completed', 'one has its document now'
		or diag $operation->{error};
	is $operation->{recordsProcessed}, 3, 'three were run';
	is $operation->{itemsFailed}, 2, '... of which two failed';
};

subtest 'what is found' => sub {
	my $found = citations($uri{graph});
	is scalar @$found, 27, 'every reference of a real paper';
	my ($hochreiter) = grep { ($_->{title} // '') eq 'Long short-term memory' } @$found;
	is $hochreiter->{authors}, 'Sepp Hochreiter and Jürgen Schmidhuber', 'its authors';
	is $hochreiter->{year}, 1997, '... year';
	is $hochreiter->{source}, 'pdf', '... and where it was read';
	is_deeply matches($uri{graph}), {
		'Content-based citation recommendation' => "$uri{recommendation} title",
	}, 'one of them is in the index';

	is scalar @{ citations($uri{recommendation}) }, 4, 'every reference of a made one';
	is_deeply matches($uri{recommendation}), {
		'Construction of the literature graph in semantic scholar' => "$uri{graph} title",
		'About things with an identifier' => "$uri{things} doi",
	}, 'by DOI, by title across a hyphen, and never itself';
	is_deeply citations($uri{things}), [], 'a document without references has none';
	is $daemon->ctl('citations')->{status}, 0, 'all of them can be listed';
	is @{ $daemon->ctl('citations')->{lines} }, 31, '... 31';
};

subtest 'again, and nothing has changed' => sub {
	my $before = $daemon->ctl('citations')->{out};
	my $operation = extract();

	is $operation->{status}, 'completed', 'it completes';
	is $operation->{recordsProcessed}, 6, 'all are looked at';
	is_deeply $operation->{changes}, { created => 0, updated => 0, deleted => 0 },
		'nothing changes';
	cmp_ok $operation->{usage}{bytesFetched}, '<', length $paper,
		'only what failed before is fetched';
	is $daemon->ctl('citations')->{out}, $before, 'the citations are the same';
};

subtest 'an eprint that is cited comes later' => sub {
	$uri{memory} = eprint($bob, 'LONG SHORT-TERM MEMORY', pdf('Text'));
	sync($bob);
	my $operation = extract();

	is matches($uri{graph})->{'Long short-term memory'}, "$uri{memory} title",
		'it is found by what was read before';
	is $operation->{changes}{updated}, 2, 'one citation and its summary change';
};

subtest 'a document that is replaced' => sub {
	my ($rkey) = $uri{recommendation} =~ m{([^/]+)$};
	my $title = 'Content-based citation recommendation';
	my $write = sub {
		$bob->put(EPRINT, $rkey, { title => $title,
			document => $bob->upload_blob($_[0], 'application/pdf') });
		sync($bob);
		return extract(uri => $uri{recommendation});
	};

	my $operation = $write->(pdf('References', '[1] A. One. The only one that is left. 2001.'));
	is $operation->{status}, 'completed', 'it alone can be done' or diag $operation->{error};
	is $operation->{recordsProcessed}, 1, '... and is all that was';
	is_deeply [ map { $_->{title} } @{ citations($uri{recommendation}) } ],
		['The only one that is left'], 'its citations are replaced';
	is_deeply $operation->{changes}, { created => 0, updated => 2, deleted => 3 },
		'... and what is left of them deleted';
	$write->(pdf('No references any more'));
	is_deeply citations($uri{recommendation}), [], 'also by none';
};

subtest 'an eprint that is deleted' => sub {
	$ann->delete(EPRINT, $uri{graph} =~ m{([^/]+)$});
	sync($ann);
	my $operation = extract();

	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is_deeply citations($uri{graph}), [], 'its citations are gone';
	like $daemon->log, qr/the citations of 1 eprints that are gone are deleted/,
		'... and it is told';
};

subtest 'what cannot be done alone fails' => sub {
	my $operation = extract(uri => $uri{page});
	is $operation->{status}, 'failed', 'a web page';
	like $operation->{error}, qr/not-pdf/, '... says what it is not';
	$operation = extract(uri => $uri{graph});
	is $operation->{status}, 'failed', 'what is not there any more';
	like $operation->{error}, qr/not-found/, '... says so';
	$operation = extract(uri => 'at://' . $ann->did . '/app.bsky.feed.post/3kabc');
	is $operation->{status}, 'failed', 'what is no eprint';
	like $operation->{error}, qr/invalid/, '... says so';
};

subtest 'an account that has moved' => sub {
	$bob->migrate($bob->pds eq $net->pds_url(0) ? 1 : 0);
	my $uri = eprint($bob, 'From my new home', pdf('References', '',
		'Ann Author. 2017. A work of my old home. In Journal.'));
	sync($bob);
	is extract(uri => $uri)->{status}, 'completed', 'its documents are found there';
	is @{ citations($uri) }, 1, '... with what they cite';
};

$daemon->finish;
done_testing;
