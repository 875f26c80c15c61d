# /metrics: valid to the letter, true to what happened, and all that the Grafana
# dashboard and the alert rules ask for is there.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;
use JSON::PP ();

use Backfilld::Api;
use Backfilld::NullOp;
use Backfilld::Prometheus;
use Backfilld::Test;

my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
	max_workers => 2 });
$daemon->start;

sub metrics {
	my $answer = $daemon->get('/metrics');
	is $answer->{status}, 200, 'metrics';
	is $answer->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8',
		'in the text format';
	my $metrics = Backfilld::Prometheus->parse($answer->{content});
	is_deeply $metrics->{faults}, [], 'nothing wrong with them';
	promtool($answer->{content});
	return $metrics;
}

# Prometheus's own opinion, where it is installed.
sub promtool {
	my ($text) = @_;
	my ($program) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
	return if !$program;
	open my $check, '|-', "$program check metrics 2>&1" or die "promtool: $!";
	print $check $text;
	close $check;
	is $? >> 8, 0, 'promtool agrees';
}

is $daemon->get('/metrics', as => '')->{status}, 401, 'not for everybody';

subtest 'at the start' => sub {
	my $metrics = metrics();
	is $metrics->value('backfilld_supervisor_up'), 1, 'the supervisor answers';
	is $metrics->value('backfilld_indexer_up'), 1, 'the indexer runs';
	is $metrics->value('backfilld_workers_max'), 2, 'max_workers';
	is $metrics->value('backfilld_operations', status => 'queued'), 0, 'nothing waits';
	is $metrics->value('backfilld_service_starts_total', service => 'backfill-api'), 1,
		'one start';
	is $metrics->value('backfilld_auth_failures_total', code => 401), 1, 'one refusal';
	is $metrics->value('backfilld_http_requests_total', route => '/metrics', code => '4xx'),
		1, 'by its route';
	cmp_ok $metrics->value('backfilld_store_used_bytes', store => 'operations'), '>', 4096,
		'operations/ has a size';
	cmp_ok $metrics->value('backfilld_store_used_bytes', store => 'records'), '>', 4096,
		'records/, too';
	cmp_ok $metrics->value('backfilld_store_readers', store => 'operations'), '>=', 1,
		'and readers';
	is $metrics->value('backfilld_operations_ended_total', type => 'did-sync',
		status => 'completed'), 0, 'counters are there before they count';
};

subtest 'after a few operations' => sub {
	$daemon->wait_finished($daemon->trigger('did-sync', did => null_op_did($_)))
		for qw(finish finish fail items);
	my @ids = map { $daemon->trigger('did-sync', did => null_op_did('run')) } 1 .. 3;
	$daemon->wait_operation($ids[1], sub { $_[0]{recordsProcessed} > 5 }, 'to run');
	my $metrics = metrics();
	my $of = sub { $metrics->value("backfilld_$_[0]", type => 'did-sync', @_[1 .. $#_]) };
	is $of->('operations_ended_total', status => 'completed'), 3, 'three completed';
	is $of->('operations_ended_total', status => 'failed'), 1, 'one failed';
	is $of->('operations_running'), 2, 'two run';
	is $metrics->value('backfilld_operations', status => 'queued'), 1, 'one waits';
	is $of->('operations_waiting'), 1, 'of this type';
	is $metrics->value('backfilld_operations_waiting', type => 'pds-scan'), 0, 'none of another';
	is $metrics->value('backfilld_operations', status => 'completed'), 3, 'on record, too';
	is $metrics->value('backfilld_workers'), 2, 'two workers';
	is $of->('worker_starts_total'), 6, 'six starts';
	cmp_ok $of->('items_failed_total'), '>=', 1000, 'failed items';
	is $of->('item_failures_total', class => 'other'), 1010,
		'all of them by class, which is none of ours';
	is $of->('rate_limited_answers_total'), 0, 'nobody answered 429';
	cmp_ok $of->('records_processed_total'), '>', 5, 'records';
	is $of->('operation_seconds_count'), 4, 'four durations';
	cmp_ok $metrics->value('backfilld_queue_oldest_seconds'), '>', 0, 'a wait';
	cmp_ok $metrics->value('backfilld_http_request_seconds_count',
		route => 'triggerBackfill'), '>=', 7, 'times of requests';
	$daemon->xrpc_post('cancelBackfill', { id => $_ }) for @ids;
	$metrics = metrics();
	is $of->('operations_ended_total', status => 'cancelled'), 3, 'three cancelled';
	is $of->('operations_running'), 0, 'nothing runs';
	is $of->('operations_waiting'), 0, 'nothing waits';
};

subtest 'a service that is started again is counted' => sub {
	my $indexer = $daemon->wait_child('backfill-indexer');
	$daemon->expect_error(qr/backfill-indexer/);
	kill 'KILL', $indexer;
	wait_for { my ($now) = $daemon->children('backfill-indexer'); $now && $now != $indexer }
		30, 'another indexer';
	is metrics()->value('backfilld_service_starts_total', service => 'backfill-indexer'), 2,
		'two starts';
};

my $all = metrics();

sub named_in {
	my ($file) = @_;
	open my $in, '<', "$Backfilld::Test::SRCDIR/$file" or die "$file: $!";
	my $text = do { local $/; <$in> };
	my %names = map { $_ => 1 } $text =~ /\b(backfilld_\w+)/g;
	return ($text, sort keys %names);
}

subtest 'the Grafana dashboard asks for what there is' => sub {
	my ($text, @names) = named_in('etc/grafana/backfilld.json');
	ok eval { JSON::PP->new->utf8->decode($text) }, 'it is JSON';
	cmp_ok scalar @names, '>', 15, 'it asks for much';
	ok $all->has($_), $_ for @names;
};

subtest 'so do the alert rules' => sub {
	my ($text, @names) = named_in('etc/prometheus/backfilld.rules.yml');
	cmp_ok scalar @names, '>', 10, 'there are many';
	ok $all->has($_), $_ for @names;
};

subtest 'an operator\'s own types have rows, up to LIMIT_METRIC_TYPES' => sub {
	my $api = Backfilld::Api->new;
	$api->start;
	for my $n (1 .. 40) {
		$api->tell('op', req => $api->{watch}, op => { id => sprintf('3kaaaaaaaaa%02d', $n),
			type => "own-$n", status => 3, created_ms => 1, completed_ms => 1001 });
	}
	my $waiting = $api->ask('GET', '/metrics');
	my $measure = $api->expect('measure');
	$api->tell('measures', req => $measure->{req}, workers => 1);
	my $metrics = Backfilld::Prometheus->parse($waiting->answer->{body});
	is_deeply $metrics->{faults}, [], 'nothing wrong';
	is $metrics->value('backfilld_operations_ended_total', type => 'own-1',
		status => 'completed'), 1, 'one of its own';
	is $metrics->value('backfilld_operations_ended_total', type => 'own-40',
		status => 'completed'), undef, 'not one too many';
	cmp_ok $metrics->value('backfilld_operations_ended_total', type => 'other',
		status => 'completed'), '>', 10, 'the rest together';
	$api->hang_up;
	my $answer;
	Backfilld::Process::wait_for { $answer = $api->get('/metrics');
		$answer->{body} =~ /^backfilld_supervisor_up 0$/m } 20, 'the loss to be told';
	is_deeply(Backfilld::Prometheus->parse($answer->{body})->{faults}, [],
		'metrics without the supervisor');
	$api->finish;
};

$daemon->finish;
done_testing;
