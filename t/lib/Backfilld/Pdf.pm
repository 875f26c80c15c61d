package Backfilld::Pdf;

# PDFs whose text a test decides: ASCII lines, page after page.
#
#	my $bytes = pdf('A title', 'References', '[1] A. Author. ...');

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pdf);

use constant LINES_PER_PAGE => 50;

# An empty line parts paragraphs.
sub pdf {
	my @lines = @_;
	my (@objects, @kids);

	# 1 the catalog, 2 the list of pages, 3 the font; then page and text in turns
	push @objects, '<< /Type /Catalog /Pages 2 0 R >>', undef,
		'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>';
	do {
		my @page = splice @lines, 0, LINES_PER_PAGE;
		my $text = content(@page);
		my $number = @objects + 1;
		push @kids, "$number 0 R";
		push @objects, '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] '
			. '/Resources << /Font << /F1 3 0 R >> >> '
			. '/Contents ' . ($number + 1) . ' 0 R >>';
		push @objects, '<< /Length ' . length($text) . " >>\nstream\n$text\nendstream";
	} while @lines;
	$objects[1] = '<< /Type /Pages /Count ' . @kids . " /Kids [@kids] >>";
	return assemble(@objects);
}

sub content {
	my $text = "BT /F1 10 Tf 14 TL 50 760 Td\n";
	for my $line (@_) {
		my $escaped = $line =~ s/([()\\])/\\$1/gr;
		$text .= "($escaped) Tj T*\n";
	}
	return $text . 'ET';
}

sub assemble {
	my @objects = @_;
	# The PDS looks at what is uploaded, and fails on a PDF of less than 1350 bytes.
	my $pdf = "%PDF-1.4\n" . ('%' . '-' x 70 . "\n") x 30;
	my @offsets;

	for my $i (0 .. $#objects) {
		push @offsets, length $pdf;
		$pdf .= ($i + 1) . " 0 obj\n$objects[$i]\nendobj\n";
	}
	my $start = length $pdf;
	$pdf .= 'xref' . "\n0 " . (@objects + 1) . "\n0000000000 65535 f \n";
	$pdf .= sprintf "%010d 00000 n \n", $_ for @offsets;
	return $pdf . 'trailer << /Size ' . (@objects + 1) . " /Root 1 0 R >>\n"
		. "startxref\n$start\n%%EOF\n";
}

1;
