package Backfilld::Prometheus;

# A strict reader of Prometheus's text format (exposition format 0.0.4): what a
# scrape would take with a shrug is a fault here.
#
#	my $metrics = Backfilld::Prometheus->parse($text);
#	is_deeply $metrics->{faults}, [], 'nothing wrong';
#	$metrics->value('name', type => 'did-sync');
#	$metrics->has('name');		# a family, or a histogram's _bucket, _sum, _count

use strict;
use warnings;

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABEL = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
my $VALUE = qr/[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)|NaN/;

sub parse {
	my ($class, $text) = @_;
	my $self = bless { faults => [], families => {}, samples => {}, order => [] }, $class;
	my $family;

	$self->fault(0, 'does not end in a line feed') if $text !~ /\n\z/;
	my $number = 0;
	for my $line (split /\n/, $text) {
		$number++;
		if ($line =~ /^# HELP ($NAME) (\S.*)$/) {
			$self->fault($number, "$1 twice") if $self->{families}{$1};
			$family = $self->{families}{$1} = { name => $1, help => $2 };
		} elsif ($line =~ /^# TYPE ($NAME) (counter|gauge|histogram)$/) {
			$self->fault($number, "TYPE of $1 without its HELP before")
				if !$family || $family->{name} ne $1 || $family->{type};
			$family->{type} = $2 if $family;
			$self->fault($number, "$1 is a counter and no _total")
				if $2 eq 'counter' && $1 !~ /_total$/;
		} elsif ($line =~ /^($NAME)(?:\{(.*)\})? ($VALUE)$/) {
			$self->sample($number, $family, $1, $2, $3);
		} else {
			$self->fault($number, "'$line'");
		}
	}
	$self->check_histograms;
	return $self;
}

sub fault { push @{ $_[0]{faults} }, "line $_[1]: $_[2]" }

sub sample {
	my ($self, $number, $family, $name, $labels, $value) = @_;
	my %labels;

	my $rest = $labels // '';
	while ($rest =~ s/^($LABEL)="((?:[^"\\\n]|\\[\\"n])*)"(,(?=.)|\z)//) {
		$self->fault($number, "label $1 twice") if exists $labels{$1};
		$labels{$1} = $2;
	}
	$self->fault($number, "labels: $rest") if length $rest;
	my $type = $family ? $family->{type} // '' : '';
	my $suffix = $type eq 'histogram' ? qr/_(?:bucket|sum|count)/ : qr//;
	$self->fault($number, "$name is not of the family before it")
		if !$family || $name !~ /^\Q$family->{name}\E$suffix$/;
	$self->fault($number, "$name: $value") if $type eq 'counter' && $value !~ /^\d/;
	my $key = join ',', map { "$_=$labels{$_}" } sort keys %labels;
	$self->fault($number, "$name\{$key} twice") if exists $self->{samples}{$name}{$key};
	$self->{samples}{$name}{$key} = $value;
	push @{ $family->{rows} }, [ $name, \%labels, $value ] if $family;
}

# Buckets rise, end in +Inf, and that is the count.
sub check_histograms {
	my ($self) = @_;
	for my $family (grep { ($_->{type} // '') eq 'histogram' } values %{ $self->{families} }) {
		my (%last, %le, %top);
		for my $row (@{ $family->{rows} || [] }) {
			my ($name, $labels, $value) = @$row;
			my %own = %$labels;
			my $le = delete $own{le};
			my $key = join ',', map { "$_=$own{$_}" } sort keys %own;
			if ($name =~ /_bucket$/) {
				$self->fault(0, "$name: no le") if !defined $le;
				$self->fault(0, "$name\{$key}: $le does not rise") if $le ne '+Inf'
					&& defined $le{$key} && $le <= $le{$key};
				$self->fault(0, "$name\{$key}: counts fall") if $value < ($last{$key} // 0);
				($last{$key}, $le{$key}) = ($value, $le eq '+Inf' ? 9e99 : $le);
				$top{$key} = $value if $le eq '+Inf';
			} elsif ($name =~ /_count$/) {
				$self->fault(0, "$name\{$key}: is not the last bucket")
					if !defined $top{$key} || $top{$key} != $value;
			}
		}
	}
}

sub has {
	my ($self, $name) = @_;
	return 1 if $self->{families}{$name};
	return $name =~ /^(.*)_(?:bucket|sum|count)$/
		&& ($self->{families}{$1} || {})->{type} eq 'histogram';
}

sub value {
	my ($self, $name, %labels) = @_;
	return $self->{samples}{$name}{ join ',', map { "$_=$labels{$_}" } sort keys %labels };
}

1;
