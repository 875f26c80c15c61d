package Backfilld::Scans;

# What tests of scans on the real network share: the index against what the PDSs
# say.

use strict;
use warnings;
use Exporter 'import';
use Test::More;

our @EXPORT = qw(index_of is_indexed is_gone run_scan row_of items_of);

# What is indexed of an account: {'collection/rkey' => {cid, value}}.
sub index_of {
	my ($daemon, $account) = @_;
	my $result = $daemon->ctl('records', '--did', $account->did);
	die "backfillctl records: $result->{err}" if $result->{status} !~ /^[03]$/;
	return { map {
		my ($path) = $_->{uri} =~ m{^at://[^/]+/(.+)$};
		$path => { cid => $_->{cid}, value => $_->{value} }
	} @{ $result->{lines} } };
}

# Counts first: when they differ, they say more than a thousand lines of diff.
sub is_indexed {
	my ($daemon, $account, $name) = @_;
	my ($indexed, $listed) = (index_of($daemon, $account), $account->list_records);

	return is keys %$indexed, keys %$listed, "$name: as many records as the PDS lists"
		if keys %$indexed != keys %$listed;
	return is_deeply $indexed, $listed, "$name: the records that the PDS lists";
}

sub is_gone {
	my ($daemon, $account, $name) = @_;
	is keys %{ index_of($daemon, $account) }, 0, "$name: no record is left";
	is row_of($daemon, $account)->{status}, 'deleted', "$name: it is known as deleted";
}

# {did, pdsUrl, rev, status, ...}; nothing if the index does not know it.
sub row_of {
	my ($daemon, $account) = @_;
	my ($row) = grep { $_->{did} eq $account->did } @{ $daemon->ctl('repos')->{lines} };
	return $row;
}

sub run_scan {
	my ($daemon, $type, %params) = @_;
	my $operation = $daemon->wait_finished($daemon->trigger($type, %params), 120);
	diag "$type: $operation->{status}: ", $operation->{error} // ''
		if $operation->{status} ne 'completed';
	return $operation;
}

# The failed items of an operation: {item => class}
sub items_of {
	my ($daemon, $operation) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{json};
	return { map { $_->{item} => $_->{errorClass} } @{ $shown->{items} } };
}

1;
