package Backfilld::PdfBombs;

# PDFs that were made to take whatever they are let: row F96 of the fault matrix.
#
#	my %bombs = pdf_bombs();	# name => bytes

use strict;
use warnings;
use Compress::Zlib ();
use Exporter 'import';

use Backfilld::Pdf;

our @EXPORT = qw(pdf_bombs endless_forms);

use constant {
	CATALOG => '<< /Type /Catalog /Pages 2 0 R >>',
	PAGES => '<< /Type /Pages /Count 1 /Kids [4 0 R] >>',
	FONT => '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
	NOTHING => "<< /Length 5 >>\nstream\nBT ET\nendstream",
	FORM => '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources ',
	PIXELS => '/Type /XObject /Subtype /Image /Width 65535 /Height 65535 ',
	PAGE_COUNT => 100_000,
	DEPTH => 300_000,
	INFLATED => 20 << 20,
};

sub page {
	my ($more) = @_;
	return '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R '
		. '/Resources << /Font << /F1 3 0 R >> ' . ($more // '') . ' >> >>';
}

sub stream {
	my ($bytes, $entries) = @_;
	return '<< /Length ' . length($bytes) . ' ' . ($entries // '')
		. " >>\nstream\n$bytes\nendstream";
}

# One page that draws /X, which is the object behind it.
sub drawing {
	return Backfilld::Pdf::assemble(CATALOG, PAGES, FONT,
		page('/XObject << /X 6 0 R >>'), stream('/X Do /X Do'), @_);
}

sub one_page { return Backfilld::Pdf::assemble(CATALOG, PAGES, FONT, page(), @_) }

sub deflated { return stream(Compress::Zlib::compress($_[0]), '/Filter /FlateDecode') }

# Forms that draw the next one four times each: 4 to the 20th in all, which is no
# recursion, and takes all the time that it gets.
sub endless_forms {
	return drawing(map { stream('/X Do ' x 4,
		FORM . '<< /XObject << /X ' . ($_ + 1) . ' 0 R >> >>') } 6 .. 25);
}

sub xref_loop {
	my $pdf = one_page(NOTHING);
	my ($at) = $pdf =~ /startxref\n(\d+)/;
	return $pdf =~ s/trailer << /trailer << \/Prev $at /r;
}

sub many_pages {
	my $last = PAGE_COUNT + 3;
	return Backfilld::Pdf::assemble(CATALOG, '<< /Type /Pages /Count ' . PAGE_COUNT
		. ' /Kids [' . join(' ', map { "$_ 0 R" } 4 .. $last) . '] >>', FONT,
		('<< /Type /Page /Parent 2 0 R >>') x PAGE_COUNT);
}

sub pdf_bombs {
	my $line = '(' . 'a' x 80 . ") Tj 0 -9 Td\n";
	my $catalog = CATALOG =~ s/ >>$//r;
	my @rest = (PAGES, FONT, page(), NOTHING);

	return (
		'a form that draws itself' => drawing(stream('/X Do /X Do',
			FORM . '<< /XObject << /X 6 0 R >> >>')),
		'pages that are their own children' => Backfilld::Pdf::assemble(CATALOG,
			'<< /Type /Pages /Count 1000000 /Kids [2 0 R 2 0 R] >>', FONT),
		'100,000 pages' => many_pages(),
		'a table of objects that is its own predecessor' => xref_loop(),
		'arrays within arrays' => Backfilld::Pdf::assemble(
			"$catalog /X " . '[' x DEPTH . ' >>', @rest),
		'a page that inflates' => one_page(deflated('q ' x (INFLATED / 2))),
		'text that inflates' => one_page(deflated('BT /F1 9 Tf 50 500 Td '
			. $line x (INFLATED / length $line) . 'ET')),
		'an image in JBIG2' => drawing(stream(pack('NCCCN NNNNCn', 0, 0x30, 0, 1, 19,
			0xffffffff, 0xffffffff, 0, 0, 0, 0), PIXELS . '/BitsPerComponent 1 '
			. '/ColorSpace /DeviceGray /Filter /JBIG2Decode')),
		'an image in JPEG 2000' => drawing(stream("\0\0\0\x0cjP  \r\n\x87\n"
			. "\xff" x 1000, PIXELS . '/Filter /JPXDecode')),
		'JavaScript' => Backfilld::Pdf::assemble("$catalog /OpenAction << /S /JavaScript "
			. '/JS (while \(true\) app.launchURL\("http://127.0.0.1:9/"\);) >> >>',
			@rest),
		'an embedded file' => Backfilld::Pdf::assemble("$catalog /Names "
			. '<< /EmbeddedFiles << /Names [(a) 6 0 R] >> >> >>', @rest,
			'<< /Type /Filespec /F (../../etc/passwd) /EF << /F 7 0 R >> >>',
			deflated('x' x INFLATED)),
		'a stream of objects that holds itself' => Backfilld::Pdf::assemble(CATALOG,
			'6 0 R', FONT, page(), NOTHING,
			stream('6 0 6 0 R', '/Type /ObjStm /N 1 /First 4 /Extends 6 0 R')),
		'a length that is the stream itself' => one_page(
			"<< /Length 5 0 R >>\nstream\nBT ET\nendstream"),
	);
}

1;
