package Backfilld::Graph;

# The governance graph of an account on a real PDS, and what the index should make of
# it.  Nodes and edges are named by their record keys.
#
#	my $graph = Backfilld::Graph->new($account);
#	$graph->node('physics');
#	$graph->edge('optics-physics', optics => 'physics', weight => 750);
#	is_deeply $graph->shown($daemon->ctl('graph')), $graph->expected, 'the graph';

use strict;
use warnings;
use Digest::MD5 ();

use constant NODE => 'pub.chive.graph.node';
use constant EDGE => 'pub.chive.graph.edge';

sub new {
	my ($class, $account) = @_;
	return bless { account => $account, nodes => {}, edges => {} }, $class;
}

# Looks like a UUID and follows from the name.
sub id {
	my ($self, $name) = @_;
	my @hex = Digest::MD5::md5_hex($name) =~ /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/;
	return sprintf '%s-%s-4%s-8%s-%s', @hex;
}

sub uri { return join '/', 'at:/', $_[0]{account}->did, NODE, $_[1] }
sub edge_uri { return join '/', 'at:/', $_[0]{account}->did, EDGE, $_[1] }

# undef drops a field.
sub merge {
	my ($fields, $more) = @_;
	my %all = (%$fields, %$more);
	return { map { $_ => $all{$_} } grep { defined $all{$_} } keys %all };
}

sub node_record {
	my ($self, $name, %more) = @_;
	return merge({ id => $self->id($name), kind => 'object', label => $name,
		status => 'established' }, \%more);
}

# An end is a node's name or a whole URI.
sub edge_record {
	my ($self, $name, $source, $target, %more) = @_;
	my ($from, $to) = map { m{^at://} ? $_ : $self->uri($_) } $source, $target;
	return merge({ id => $self->id($name), sourceUri => $from, targetUri => $to,
		relationSlug => 'broader', status => 'established' }, \%more);
}

# Between begin() and commit() writes are gathered, and then done in bulk.
sub begin { $_[0]{writes} = [] }

sub commit {
	my ($self) = @_;
	my $writes = delete $self->{writes};
	while (my @some = splice @$writes, 0, 200) {	# what the PDS takes
		$self->{account}->post('com.atproto.repo.applyWrites',
			{ repo => $self->{account}->did, writes => \@some });
	}
}

sub write {
	my ($self, $collection, $name, $record, $is_there) = @_;
	my $account = $self->{account};

	if (!$self->{writes}) {
		return $record ? $account->put($collection, $name, $record)
			: $account->delete($collection, $name);
	}
	my $verb = !$record ? 'delete' : $is_there ? 'update' : 'create';
	push @{ $self->{writes} }, {
		'$type' => "com.atproto.repo.applyWrites#$verb",
		collection => $collection, rkey => $name,
		$record ? (value => { '$type' => $collection,
			createdAt => '2026-01-02T03:04:05Z', %$record }) : (),
	};
}

sub node {
	my ($self, $name, %more) = @_;
	my $is_there = $self->{nodes}{$self->uri($name)};
	$self->{nodes}{$self->uri($name)} = my $record = $self->node_record($name, %more);
	$self->write(NODE, $name, $record, $is_there);
}

sub edge {
	my ($self, $name, $source, $target, %more) = @_;
	my $record = $self->edge_record($name, $source, $target, %more);
	my $is_there = $self->{edges}{$self->edge_uri($name)};
	$self->{edges}{$self->edge_uri($name)} = $record;
	$self->write(EDGE, $name, $record, $is_there);
}

sub delete_node {
	my ($self, $name) = @_;
	delete $self->{nodes}{$self->uri($name)};
	$self->write(NODE, $name);
}

sub delete_edge {
	my ($self, $name) = @_;
	delete $self->{edges}{$self->edge_uri($name)};
	$self->write(EDGE, $name);
}

# Records that are in the repository and not in the graph; their URIs.
sub bad_node {
	my ($self, $name, %more) = @_;
	$self->{account}->put(NODE, "z-$name", $self->node_record("z-$name", %more));
	return $self->uri("z-$name");
}

sub bad_edge {
	my ($self, $name, %more) = @_;
	$self->{account}->put(EDGE, "z-$name",
		$self->edge_record("z-$name", physics => 'optics', %more));
	return $self->edge_uri("z-$name");
}

# --- what the index has ---

sub is_node { my ($self, $uri) = @_; return $self->{nodes}{$uri} ? 1 : 0 }

# {uri => [table, fields...]}, as shown() makes it of backfillctl's lines.
sub expected {
	my ($self) = @_;
	my %graph = map {
		my $node = $self->{nodes}{$_};
		$_ => [ 'node', @$node{qw(id label kind status)}, $node->{deprecatedBy} // '' ]
	} keys %{ $self->{nodes} };

	for my $uri (keys %{ $self->{edges} }) {
		my $edge = $self->{edges}{$uri};
		my $is_whole = $self->is_node($edge->{sourceUri}) &&
			$self->is_node($edge->{targetUri});
		$graph{$uri} = [ $is_whole ? 'edge' : 'pendingEdge',
			@$edge{qw(id sourceUri relationSlug targetUri status)},
			$edge->{weight} // '' ];
	}
	return \%graph;
}

sub shown {
	my ($self, $result) = @_;
	my %graph;

	for my $line (@{ $result->{lines} }) {
		my ($table, $row) = %$line;
		next if $table eq 'counts';
		$graph{$row->{uri}} = $table eq 'node'
			? [ $table, @$row{qw(id label kind status)}, $row->{deprecatedBy} // '' ]
			: [ $table, @$row{qw(id sourceUri relationSlug targetUri status)},
				$row->{weight} // '' ];
	}
	return \%graph;
}

sub counts {
	my ($self, $result) = @_;
	return (map { $_->{counts} // () } @{ $result->{lines} })[0];
}

1;
