# citation-extraction with services and servers that say what a test wants: GROBID,
# Crossref and Semantic Scholar, blobs that are not what they should be, PDFs that are
# bombs.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::FakePDS;
use Backfilld::Net;
use Backfilld::Pdf;
use Backfilld::PdfBombs;
use Backfilld::Test;

use constant EPRINT => 'pub.chive.eprint.submission';

plan skip_all => 'pdftotext is not installed (poppler-utils)'
	if !-x '/usr/bin/pdftotext' && !$ENV{CI};

my $builddir = $ENV{BF_BUILDDIR} || '.';
my $net = Backfilld::Net->get;
my ($ann) = $net->seed(accounts => 1, records => 2);
my $fake = Backfilld::FakePDS->start;
my $daemon = Backfilld::Test->new(net => $net, settings => { fetch_retries => 2 });
$daemon->start;

my $made = 0;

# Make an eprint with this document; returns its URI.
sub create {
	my ($document, %more) = @_;
	return $ann->create(EPRINT, { title => 'An eprint of number ' . ++$made,
		document => $ann->upload_blob($document, 'application/pdf'),
		defined $more{doi} ? (publishedVersion => { doi => $more{doi} }) : () })->{uri};
}

sub sync {
	my $id = $daemon->trigger('did-sync', did => $ann->did);
	$daemon->wait_finished($id, 120)->{status} eq 'completed' or die 'did-sync failed';
}

# The same, and it is indexed.
sub eprint {
	my $uri = create(@_);
	sync();
	return $uri;
}

sub extract {
	my ($uri, $seconds) = @_;
	return $daemon->wait_finished(
		$daemon->trigger('citation-extraction', uri => $uri), $seconds || 180);
}

sub citations { return $daemon->ctl('citations', $_[0])->{lines} }

# Other settings, from now on.
sub configure {
	$daemon->set(@_);
	my $reloads = () = $daemon->log =~ /reloaded/g;
	$daemon->signal('HUP');
	wait_for { (() = $daemon->log =~ /reloaded/g) > $reloads } 30, 'the reload';
}

# How often the fake was asked for a path.
sub asked { my ($path) = @_; return scalar grep { $_->{path} eq $path } $fake->requests }

sub json_answer {
	return { body => $_[0], headers => { 'content-type' => 'application/json' } };
}

my $one_reference = pdf('References', '',
	'[1] A. Author. About things. 2001. doi:10.1234/things');

subtest 'Crossref and Semantic Scholar' => sub {
	my $uri = eprint(pdf('References', '', '[1] doi:10.1234/crossref-knows-it'),
		doi => '10.1234/citing');
	$fake->answer_path('/crossref/works/10\.1234/crossref-knows-it', undef,
		{ status => 503 },
		json_answer('{"message":{"title":["Known to Crossref"],'
			. '"container-title":["A Journal"],"issued":{"date-parts":[[1999]]}}}'));
	$fake->answer_path('/scholar/paper/DOI:10\.1234/citing/references', undef,
		json_answer('{"data":[{"citedPaper":{"title":"Known to Semantic Scholar",'
			. '"year":2003,"externalIds":{"DOI":"10.1234/OTHER"}}},'
			. '{"citedPaper":{"title":"Twice",'
			. '"externalIds":{"DOI":"10.1234/Crossref-knows-it"}}}]}'));
	configure(crossref_url => $fake->url . '/crossref', contact => 'me@example.com',
		semantic_scholar_url => $fake->url . '/scholar');

	is extract($uri)->{status}, 'completed', 'it completes';
	my $found = citations($uri);
	is_deeply [ map { [ @{$_}{qw(title venue year source)} ] } @$found ], [
		[ 'Known to Crossref', 'A Journal', 1999, 'pdf' ],
		[ 'Known to Semantic Scholar', undef, 2003, 'semantic-scholar' ] ],
		'what each knows, once';
	is asked('/crossref/works/10.1234/crossref-knows-it'), 2, 'a 503 was asked again';
	my ($request) = grep { $_->{path} =~ m{^/crossref} } $fake->requests;
	is $request->{query}{mailto}, 'me@example.com', 'in the polite pool';
};

subtest 'a service that fails is missed, and asked the next time' => sub {
	my $uri = eprint(pdf('References', '', '[1] doi:10.1234/later'));
	$fake->answer_path('/crossref/works/10\.1234/later', undef, { status => 400 },
		json_answer('{"message":{"title":["Told later"]}}'));

	is extract($uri)->{status}, 'completed', 'it completes without';
	is citations($uri)->[0]{title}, undef, '... not knowing a title';
	like $daemon->log, qr/Crossref: .*status 400/, '... which is told';
	extract($uri);
	is citations($uri)->[0]{title}, 'Told later', 'later it knows';
	is asked('/crossref/works/10.1234/later'), 2, 'by asking again';
	extract($uri);
	is asked('/crossref/works/10.1234/later'), 2, 'and then no more';

	$uri = eprint(pdf('References', '', '[1] doi:10.1234/not-today'));
	$fake->answer_path('/crossref/works/10\.1234/not-today', undef,
		{ status => 429, headers => { 'retry-after' => 86400 } });
	my $operation = extract($uri, 30);
	is $operation->{status}, 'completed', 'one that wants to be asked tomorrow is not waited for';
	like $daemon->log, qr/Crossref: .*lets us wait/, '... which is told, too';
	configure(crossref_url => '', semantic_scholar_url => '', contact => '');
};

sub tei {
	my (@titles) = @_;
	return { headers => { 'content-type' => 'application/xml' }, body =>
		'<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0"><text><back>'
		. '<listBibl>' . join('', map { "<biblStruct><analytic><title level=\"a\">$_"
		. '</title></analytic></biblStruct>' } @titles)
		. '</listBibl></back></text></TEI>' };
}

subtest 'GROBID' => sub {
	my @uris = map { eprint($one_reference) } 1 .. 4;
	my $path = '/api/processReferences';
	configure(grobid_url => $fake->url);

	my $before = asked($path);
	$fake->answer_path($path, undef, { status => 503 }, { %{ tei('Cut') },
		cut_after => 150 }, tei('First title', 'Second title'));
	is extract($uris[0])->{status}, 'completed', 'it completes';
	is_deeply [ map { [ @{$_}{qw(title source)} ] } @{ citations($uris[0]) } ],
		[ [ 'First title', 'grobid' ], [ 'Second title', 'grobid' ] ],
		'with what GROBID told after a 503 and a cut answer';
	is asked($path) - $before, 3, 'which both did happen';

	$fake->answer_path($path, undef, { status => 204 });
	is extract($uris[1])->{status}, 'completed', '204, nothing found, is an answer';
	is_deeply citations($uris[1]), [], '... of no citations';

	$before = asked($path);
	$fake->answer_path($path, undef, { body =>
		'<!DOCTYPE x [<!ENTITY a "b">]><TEI>&a;</TEI>' });
	like extract($uris[2])->{error}, qr/invalid: GROBID: XML: it has a document type/,
		'entities are refused';
	$fake->answer_path($path, undef, { body => '<html>It works!' });
	like extract($uris[2])->{error}, qr/invalid: GROBID: XML: /, 'HTML is refused';
	$fake->answer_path($path, undef, { status => 500 });
	like extract($uris[2])->{error}, qr/server-error: /, 'it cannot do it';
	is asked($path) - $before, 5, '... and was asked for each, of an error thrice';
	is_deeply citations($uris[2]), [], 'nothing is written of what failed';

	# One that wants to be asked next year.
	$fake->answer_path($path, undef,
		{ status => 429, headers => { 'retry-after' => 365 * 86400 } });
	my $operation = extract($uris[3], 60);
	is $operation->{status}, 'completed', 'a GROBID that lets us wait is not waited for';
	is citations($uris[3])->[0]{source}, 'pdf', '... pdftotext reads in its place';
	like $daemon->log, qr/op $operation->{id} worker \d+: GROBID: .*lets us wait.*pdftotext/,
		'... which is told';
	$fake->answer_path('/crossref/.*', undef, { status => 404 });
	configure(crossref_url => $fake->url . '/crossref');
	like extract($uris[0], 60)->{error}, qr/rate-limited: GROBID, which has read it/,
		'but not what GROBID has read before';
	is citations($uris[0])->[0]{source}, 'grobid', '... which stays';
	$fake->answer_path($path, undef, tei('Third title'));
	is extract($uris[3])->{status}, 'completed', 'a GROBID that is back';
	is_deeply [ map { [ @{$_}{qw(title source)} ] } @{ citations($uris[3]) } ],
		[ [ 'Third title', 'grobid' ] ], '... reads what pdftotext has read';

	configure(grobid_url => '', crossref_url => '');
	is extract($uris[0])->{status}, 'completed', 'without GROBID it is done anew';
	is citations($uris[0])->[0]{source}, 'pdf', '... by pdftotext';
};

subtest 'F96: PDFs that are bombs, all at once, and a good one among them' => sub {
	my %bombs = pdf_bombs();
	my $most = 4 << 20;	# the PDS takes no more
	my @names = sort grep { length $bombs{$_} < $most } keys %bombs;
	my %uri = map { $_ => create($bombs{$_}) } @names;
	my $good = create(pdf('References', '', '[1] A. Author. Unhurt. 2001. doi:10.1234/ok'));
	sync();
	my $operation = $daemon->wait_finished($daemon->trigger('citation-extraction'), 180);
	is $operation->{status}, 'completed', 'the operation completes';
	is citations($good)->[0]{doi}, '10.1234/ok', 'the good one is done';
	my %class = map { $_->{item} => $_->{errorClass} }
		@{ $daemon->ctl('show', $operation->{id}, '--items')->{json}{items} };
	for my $name (@names) {
		my $class = $class{ $uri{$name} };
		like $class // 'none', qr/^(none|not-readable|too-large|timeout|crashed)$/,
			"$name: " . ($class // 'no citations');
		is_deeply citations($uri{$name}), [], '... and nothing is indexed of it';
	}
	is $class{ $uri{'a page that inflates'} }, 'crashed', 'the sandbox did stop something';
};

subtest 'PDFs that are probed for what the sandbox forbids (F96)' => sub {
	configure(pdftotext => "$builddir/t/workers/pdf-probe");
	my %class = (socket => 'crashed', crash => 'crashed', flood => 'too-large',
		fail => 'not-readable', protected => 'protected');
	for my $act (sort keys %class) {
		my $uri = eprint("%PDF-1.4\n$act\n" . '-' x 5000);
		my $operation = extract($uri);
		is $operation->{status}, 'failed', "$act fails";
		like $operation->{error}, qr/: $class{$act}: /, "... as $class{$act}";
	}

	my $uri = eprint("%PDF-1.4\nhang\n" . '-' x 5000);
	my $id = $daemon->trigger('citation-extraction', uri => $uri);
	my $worker = $daemon->wait_child('citation-extraction');
	$daemon->wait_operation($id, sub { ($_[0]{stage} // '') eq 'extracting' },
		'to extract');
	my $helper;
	wait_for { ($helper) = proc_children($worker, 'pdf-probe') } 60, 'the helper';
	$daemon->ctl('cancel', $id);
	is $daemon->wait_finished($id)->{status}, 'cancelled', 'one that hangs is cancelled';
	wait_for { !is_alive($helper) } 10, 'the helper to end';
	pass '... and its helper with it';

	configure(pdftotext => '/nowhere/pdftotext');
	like extract(eprint($one_reference))->{error}, qr/no-tool.*|install poppler-utils/,
		'no pdftotext at all is told at once';
	configure(pdftotext => '/usr/bin/pdftotext');
};

# A PDS of ours that has the account, whose blobs are not as they should be.
subtest 'blobs' => sub {
	my $did = $ann->did;
	my $bytes = pdf('References', '[1] A. Author. Of the right blob. 2001.');
	my $uri = eprint($bytes);
	my $other = Backfilld::Test->new(net => $fake, settings => { fetch_retries => 1 });
	my $again = sub {
		return $other->wait_finished($other->trigger('citation-extraction',
			uri => $uri), 180);
	};

	$fake->add_repo($did, $net->did_document($did), $ann->repo_car);
	$fake->answer(getLatestCommit => $did,
		json_answer(JSON::PP->new->encode($ann->latest_commit)));
	$other->start;
	is $other->wait_finished($other->trigger('did-sync', did => $did), 120)->{status},
		'completed', 'indexed from there';

	$fake->answer(getBlob => $did, { body => $bytes =~ s/right/wrong/r });
	like $again->()->{error}, qr/invalid: .*not what the CID names/, 'wrong bytes';
	$fake->answer(getBlob => $did, { body => $bytes . ' ' });
	like $again->()->{error}, qr/too-large: /, 'more than the record says';
	$fake->answer(getBlob => $did, { body => $bytes, chunked => 1 },
		{ body => $bytes, cut_after => 100 });
	is $again->()->{status}, 'completed', 'without a length';
	$fake->answer(getBlob => $did, $fake->xrpc_error(400, 'InvalidRequest'));
	my $operation = $again->();
	is $operation->{status}, 'completed', 'what is not changed needs no blob';
	is scalar $fake->requests('getBlob'), 3, 'it was asked for three times in all';
	$other->finish;
};

$daemon->finish;
done_testing;
