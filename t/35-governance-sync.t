# governance-sync against a real PDS: the graph is what the governance account's
# records say, before and after they change, and whatever is killed meanwhile.
#
# BF_TEST_SEED repeats a run.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Graph;
use Backfilld::Net;
use Backfilld::Test;

use constant NODE => 'pub.chive.graph.node';
use constant EDGE => 'pub.chive.graph.edge';

# A network of its own, to stop a PDS.
my $net = Backfilld::Net->start(pds => 2);
my ($governance, $other) = map { $net->seed(accounts => 1, records => 1, pds => 0) } 1 .. 2;
my $graph = Backfilld::Graph->new($governance);

# Of other repositories and other collections nothing is wanted.
my $daemon = Backfilld::Test->new(net => $net, settings => {
	governance_did => '', collections => ['app.bsky.actor.profile'],
	fetch_retries => 0 });
$daemon->start;

sub run_sync { return $daemon->wait_finished($daemon->trigger('governance-sync')) }

sub items_of {
	my ($operation) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{lines};
	return { map { $_->{item} => "$_->{errorClass}: $_->{error}" }
		map { @{ $_->{items} || [] } } @$shown };
}

sub shown { return $graph->shown($daemon->ctl('graph', @_)) }

sub completes {
	my ($changes, %expected) = @_;
	my $operation = run_sync();

	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is_deeply $operation->{changes},
		{ map { $_ => $changes->{$_} // 0 } qw(created updated deleted) },
		'what has changed' or diag explain $operation->{changes};
	is $operation->{itemsFailed} // 0, $expected{failed} // 0, 'refused records';
	is_deeply shown(), $graph->expected, 'the graph is what the records say';
	return $operation;
}

subtest 'without its setting' => sub {
	my $operation = run_sync();
	is $operation->{status}, 'failed', 'it fails';
	is $operation->{errorClass}, 'setting', 'for a setting';
	like $operation->{error}, qr/governance_did/, 'which is named';
	$daemon->stop;
	$daemon->set(governance_did => $governance->did);
	$daemon->start;
};

$governance->delete(NODE, m{/(.*)}) for grep { m{^\Q${\NODE}\E/} } keys %{ $governance->list_records };
$governance->put('app.bsky.actor.profile', 'self', { displayName => 'Governance' });
$graph->node($_) for qw(science physics optics);
$graph->edge('physics-science', physics => 'science', weight => 750);
$graph->edge('optics-physics', optics => 'physics');
$graph->edge('waves-optics', waves => 'optics');

subtest 'a first graph' => sub {
	# Its profile, and each record and its row.
	my $operation = completes({ created => 1 + 2 * 6 });

	is $operation->{recordsProcessed}, 6, 'every record';
	is $operation->{totalRecords}, 6, 'of as many';
	is_deeply $graph->counts($daemon->ctl('graph')),
		{ nodes => 3, edges => 2, pendingEdges => 1 }, 'counted';
	my $history = $daemon->ctl('show', $operation->{id}, '--events')->{out};
	like $history, qr/1 edges are pending/, 'the pending edge is reported';
};

subtest 'nothing has changed' => sub {
	my $operation = completes({});
	is $operation->{recordsProcessed}, 6, 'all of it was looked at';
	is $operation->{usage}{bytesFetched} // 0, 0, 'without fetching it';
};

subtest 'a node for which an edge has waited' => sub {
	$graph->node('waves');
	# Record and row of the node; the edge changes tables.
	completes({ created => 3, deleted => 1 });
	is_deeply $graph->counts($daemon->ctl('graph', '--pending')), $graph->counts(
		$daemon->ctl('graph')), 'nothing is pending';
};

subtest 'updates, and a successor' => sub {
	$graph->node('optics', label => 'Optics & "light"', status => 'deprecated',
		deprecatedBy => $graph->uri('waves'));
	$graph->edge('optics-physics', optics => 'physics', relationSlug => 'narrower');
	completes({ updated => 4 });
};

subtest 'a node that is deleted makes its edges pending' => sub {
	$graph->delete_node('science');
	# Record and row of the node; its edge changes tables.
	completes({ created => 1, deleted => 3 });
	my ($line) = grep { $_->{pendingEdge} } @{ $daemon->ctl('graph', '--pending')->{lines} };
	is $line->{pendingEdge}{absent}, 'target', 'it lacks its target';
	$graph->node('science');
	completes({ created => 3, deleted => 1 });
};

subtest 'an edge that is deleted, a loop, an edge to another repository' => sub {
	my $record = $other->create(NODE, $graph->node_record('elsewhere'));
	$graph->delete_edge('waves-optics');
	$graph->edge('loop', waves => 'waves');
	$graph->edge('abroad', waves => $record->{uri});
	my $operation = completes({ created => 4, deleted => 2 });
	my $history = $daemon->ctl('show', $operation->{id}, '--events')->{out};
	like $history, qr/1 edges join a node to itself/, 'the loop is reported';
};

subtest 'records that are refused' => sub {
	my %bad = (
		$graph->bad_node('no-label', label => undef) => qr/^invalid: label: is missing$/,
		$graph->bad_node('kind', kind => 7) => qr/^invalid: kind: is not a string$/,
		$graph->bad_node('twin', id => $graph->id('waves')) =>
			qr/^invalid: id: an earlier node has the same$/,
		$graph->bad_edge('weight', weight => 1001) =>
			qr/^invalid: weight: 1001 is not in 0 to 1000$/,
		$graph->bad_edge('target', targetUri => 'at://nowhere') =>
			qr/^invalid: targetUri: is no AT-URI of a record$/,
	);
	my $operation = completes({ created => 5 }, failed => 5);
	my $items = items_of($operation);

	is_deeply [ sort keys %$items ], [ sort keys %bad ], 'each is an item';
	like $items->{$_}, $bad{$_}, "$_ says why" for sort keys %bad;
	completes({}, failed => 5);
	$governance->delete(m{^at://[^/]+/([^/]+)/(.+)$}) for keys %bad;
	completes({ deleted => 5 });
};

subtest 'backfillctl graph' => sub {
	my $name = $graph->id('waves');
	my $lines = $daemon->ctl('graph', '--node', $name)->{lines};
	is_deeply [ map { keys %$_ } @$lines ],
		[qw(node edge pendingEdge counts)], 'one node and its edges';
	is_deeply $daemon->ctl('graph', '--node', $graph->uri('waves'))->{lines}, $lines,
		'the same by its URI';
	is $daemon->ctl('graph', '--node', 'nobody')->{status}, 3, 'no such node';
	my $plain = sub { Backfilld::Test::capture("$Backfilld::Test::BUILDDIR/backfillctl",
		'-s', $daemon->socket, 'graph', @_)->{out} };
	like $plain->(), qr/^NODE .*^physics +object .*^SOURCE .*^physics +broader +science .*^PENDING .*^4 nodes, 3 edges, 1 pending\n\z/ms,
		'tables';
	my $dot = $plain->('--dot');
	like $dot, qr/^digraph governance \{\n.*label="Optics & \\"light\\"", style=dashed.*style=dotted.*\}\n\z/s,
		'Graphviz';
	is $daemon->ctl('graph', '--dot')->{status}, 2, 'DOT is no JSON';
};

subtest 'a did-sync leaves the graph alone' => sub {
	my $operation = $daemon->wait_finished(
		$daemon->trigger('did-sync', did => $governance->did));
	is $operation->{status}, 'completed', 'it completes';
	is_deeply $operation->{changes}, { created => 0, updated => 0, deleted => 0 },
		'it wants the same collections';
	is $operation->{usage}{bytesFetched} // 0, 0, 'and fetches nothing';
	completes({});
};

subtest 'a deactivated account, and a new key' => sub {
	$governance->deactivate;
	completes({});
	$governance->activate;
	$governance->migrate(1);	# where it gets another key
	$graph->node('after-the-rotation');
	completes({ created => 2 });
};

subtest 'a server that is down' => sub {
	my $before = shown();
	$net->stop_pds(1);
	my $operation = run_sync();
	is $operation->{status}, 'failed', 'fails the operation';
	is $operation->{errorClass}, 'unreachable', 'as unreachable';
	like $operation->{error}, qr/the graph stays as it was/, 'which it says';
	is_deeply shown(), $before, 'so it does';
	$net->start_pds(1);
};

subtest 'nothing but refused records' => sub {
	my $before = shown();
	$daemon->stop;
	$daemon->set(governance_node_collection => EDGE, governance_edge_collection => NODE);
	$daemon->start;
	my $operation = run_sync();
	is $operation->{status}, 'failed', 'fails the operation';
	is $operation->{errorClass}, 'invalid', 'as invalid';
	is_deeply shown(), $before, 'the graph stays';
};

$daemon->finish;
$net->stop;
done_testing;
