package Backfilld::Lexicon;

# Is this answer what its lexicon says?  Reads etc/lexicons/*.json.

use strict;
use warnings;
use Cwd ();
use JSON::PP ();
use B ();

my $srcdir = $ENV{BF_SRCDIR} || Cwd::getcwd();
my %lexicons;

sub lexicon {
	my ($method) = @_;
	return $lexicons{$method} //= do {
		my $path = "$srcdir/etc/lexicons/$method.json";
		open my $file, '<', $path or die "$path: $!";
		local $/;
		JSON::PP->new->utf8->decode(<$file>);
	};
}

# The methods that have a lexicon.
sub methods {
	return map { m{([^/]+)\.json$} } glob "$srcdir/etc/lexicons/*.json";
}

# What is wrong with the output of a method: a list of sentences, empty if it
# conforms.
sub output_faults {
	my ($method, $output) = @_;
	my $lexicon = lexicon($method);
	return check($lexicon, $lexicon->{defs}{main}{output}{schema}, $output, 'output');
}

my %type_check = (
	string => sub { is_text($_[0]) ? () : 'is not a string' },
	integer => sub { is_integer($_[0]) ? () : 'is not an integer' },
	boolean => sub { JSON::PP::is_bool($_[0]) ? () : 'is not a boolean' },
);

my %format_check = (
	datetime => qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
	did => qr/^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$/,
);

sub is_text {
	my ($value) = @_;
	return defined $value && !ref $value && B::svref_2object(\$value)->FLAGS & B::SVf_POK;
}

sub is_integer {
	my ($value) = @_;
	return defined $value && !ref $value && !is_text($value) && $value =~ /^-?\d+$/;
}

sub check {
	my ($lexicon, $schema, $value, $at) = @_;
	my $type = $schema->{type};

	if ($type eq 'ref') {
		my ($name) = $schema->{ref} =~ /^#(\w+)$/ or die "$at: ref $schema->{ref}";
		return check($lexicon, $lexicon->{defs}{$name}, $value, $at);
	}
	if ($type eq 'object') {
		return "$at is not an object" unless ref $value eq 'HASH';
		return (
			(map { "$at lacks $_" } grep { !exists $value->{$_} }
				@{ $schema->{required} || [] }),
			(map { check($lexicon, $schema->{properties}{$_}, $value->{$_}, "$at/$_") }
				grep { exists $value->{$_} } sort keys %{ $schema->{properties} }));
	}
	if ($type eq 'array') {
		return "$at is not an array" unless ref $value eq 'ARRAY';
		return map { check($lexicon, $schema->{items}, $value->[$_], "$at/$_") }
			0 .. $#$value;
	}
	my @faults = map { "$at $_" } ($type_check{$type} or die "$at: type $type")->($value);
	my $format = $format_check{ $schema->{format} // '' };
	push @faults, "$at is no $schema->{format}: $value"
		if !@faults && $format && $value !~ $format;
	return @faults;
}

1;
