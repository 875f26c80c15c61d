# full-reindex fills an index of a search server and moves the alias to it.

use strict;
use warnings;
use Test::More;
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';

use Backfilld::Process;
use Backfilld::Test;
use Backfilld::WriteOp;

my $libexec = File::Temp->newdir;
my $did = 'did:plc:' . 'a' x 24;
my $EPRINT = 'pub.chive.eprint.submission';

my $out = File::Temp->new;
pipe my $their_stdin, my $alive or die "pipe: $!";
my $search = Backfilld::Process::spawn([ $^X, "$Backfilld::Test::SRCDIR/t/lib/fake-search" ],
	stdin => $their_stdin, stdout => "$out");
close $their_stdin;
my $port = wait_for {
	open my $file, '<', "$out" or die "$out: $!";
	(<$file> // '') =~ /^(\d+)\n/ && $1
} 30, 'the search server';
my $url = "http://127.0.0.1:$port";

sub state_of {
	return JSON::PP::decode_json(HTTP::Tiny->new->get("$url/-/state")->{content});
}

sub fault {
	my $answer = HTTP::Tiny->new->post("$url/-/fault",
		{ content => JSON::PP::encode_json({ @_ }) });
	die "fault: $answer->{status}" if !$answer->{success};
}

sub write_titles {
	my (@titles) = @_;
	my $n = 100;
	Backfilld::WriteOp::install($libexec, 'write-op', { $did => {
		map { ("$EPRINT/3k" . $n++ => { title => $_ }) } @titles } });
}

symlink "$Backfilld::Test::BUILDDIR/$_", "$libexec/$_"
	for qw(backfill-indexer backfill-resolver backfill-api full-reindex);
write_titles(map { "title $_" } 1 .. 300);
my $daemon = Backfilld::Test->new(settings => { libexec_dir => "$libexec",
	opensearch_url => "$url/", opensearch_index => 'eprints' });
$daemon->start;

sub run_op {
	my ($type, %params) = @_;
	return $daemon->wait_finished($daemon->trigger($type, %params));
}
sub restart {
	$daemon->set(@_);
	$daemon->stop;
	$daemon->start;
}

is run_op('write-op')->{status}, 'completed', 'there is something to search';

my $first;
subtest 'the first index' => sub {
	my $op = run_op('full-reindex');
	is $op->{status}, 'completed', 'completed';
	is $op->{recordsProcessed}, 300, 'all records';
	my $state = state_of();
	$first = "eprints-$op->{id}";
	is_deeply $state->{aliases}, { eprints => { $first => 1 } }, 'the alias is there';
	is scalar keys %{ $state->{indexes}{$first} }, 300, 'with all documents';
	is $state->{indexes}{$first}{"at://$did/$EPRINT/3k142"}{title}, 'title 43',
		'under their URIs';
	is $state->{largest}, 128, 'LIMIT_BULK_DOCUMENTS, 128, at a time';
};

subtest 'the next one takes its place' => sub {
	write_titles('one', 'two');
	is run_op('write-op')->{status}, 'completed', 'two records are left';
	my $op = run_op('full-reindex', batchSize => 1);
	is $op->{status}, 'completed', 'completed';
	my $state = state_of();
	is_deeply [ keys %{ $state->{indexes} } ], [ "eprints-$op->{id}" ],
		'the old index is removed';
	is_deeply $state->{aliases}{eprints}, { "eprints-$op->{id}" => 1 }, 'the alias moved';
	is $state->{bulks}, 3 + 2, 'batchSize is kept to';
	$first = "eprints-$op->{id}";
};

subtest 'a document that is refused' => sub {
	fault(refuse => '3k101');
	my $id = $daemon->trigger('full-reindex');
	my $op = $daemon->wait_finished($id);
	is $op->{status}, 'failed', 'failed';
	is $op->{itemsFailed}, 1, 'one item';
	like $daemon->ctl('show', $id, '--items')->{out}, qr{3k101.*mapper_parsing}s,
		'with what the server said';
	is_deeply state_of()->{aliases}{eprints}, { $first => 1 }, 'the alias is where it was';
	fault();
};

subtest 'a server that is ill for a moment' => sub {
	fault(status => 503);
	my $op = run_op('full-reindex');
	is $op->{status}, 'completed', 'is asked again';
	$first = "eprints-$op->{id}";
};

subtest 'documents that are put off' => sub {
	my $bulks = state_of()->{bulks};
	fault(later => 3, of => '3k101');
	my $op = run_op('full-reindex');
	is $op->{status}, 'completed', 'are sent again' or diag $op->{error};
	is $op->{itemsFailed} // 0, 0, 'and are no failed items';
	$first = "eprints-$op->{id}";
	is scalar keys %{ state_of()->{indexes}{$first} }, 2, 'all documents are there';
	is state_of()->{bulks}, $bulks + 4, '... those that were in are not sent again';
	my @told = $daemon->log =~ /op $op->{id} worker \d+: (.*takes no more for now.*)/g;
	is @told, 1, 'its history tells it once';

	fault(later => 1, of => '3k101', after => 2);
	my $began = time;
	$op = run_op('full-reindex');
	is $op->{status}, 'completed', 'also after the pause that the server asks for';
	$first = "eprints-$op->{id}";
	cmp_ok time - $began, '>=', 1, '... which is kept';
};

subtest 'a document that is put off for ever' => sub {
	fault(later => 1e9, of => '3k101');
	my $id = $daemon->trigger('full-reindex');
	$daemon->wait_log(qr/op $id worker \d+: .*takes no more for now/);
	is $daemon->ctl('pause', $id)->{status}, 0, 'a pause';
	is $daemon->wait_status($id, 'queued')->{itemsFailed} // 0, 0, '... does not wait for it';
	restart(rate_limit_patience_ms => 1000);
	$daemon->ctl('resume', $id);
	my $op = $daemon->wait_finished($id);
	is $op->{errorClass}, 'documents-failed', 'is not waited for for ever';
	is $op->{itemsFailed}, 1, 'is an item';
	like $daemon->ctl('show', $id, '--items')->{out}, qr/rate-limited.*es_rejected/s,
		'... that says why';
	is_deeply state_of()->{aliases}{eprints}, { $first => 1 }, 'the alias is where it was';
	fault();
	restart(rate_limit_patience_ms => 3600000);
};

subtest 'a server that puts off all for long' => sub {
	fault(status => 429, after => 3600);
	my $id = $daemon->trigger('full-reindex');
	$daemon->wait_log(qr/op $id worker \d+: .*takes no more for now: 2 documents/);
	is $daemon->ctl('pause', $id)->{status}, 0, 'is waited for; a pause is not';
	$daemon->wait_status($id, 'queued');
	fault();
	$daemon->ctl('resume', $id);
	is $daemon->wait_finished($id)->{status}, 'completed', 'the next attempt asks again';
	$first = "eprints-$id";
};

subtest 'a server that says nonsense' => sub {
	fault(garbage => 1);
	my $op = run_op('full-reindex');
	is $op->{status}, 'failed', 'fails it';
	is $op->{errorClass}, 'invalid', 'as invalid';
	is_deeply state_of()->{aliases}{eprints}, { $first => 1 }, 'the alias is where it was';
};

for my $lie (qw(fewer more other errors)) {
	subtest "an answer to _bulk that does not fit: $lie" => sub {
		fault(items => $lie);
		my $op = run_op('full-reindex');
		is $op->{errorClass}, 'invalid', 'is not believed' or diag $op->{error};
		is $op->{itemsFailed} // 0, 0, 'and makes no items';
		is_deeply state_of()->{aliases}{eprints}, { $first => 1 },
			'the alias is where it was';
	};
}

subtest 'a document of which nobody knows whether it is there' => sub {
	fault(items => 'status');
	my $op = run_op('full-reindex');
	is $op->{errorClass}, 'documents-failed', 'is not in the index' or diag $op->{error};
	is $op->{itemsFailed}, 1, 'is an item';
	like $daemon->ctl('show', $op->{id}, '--items')->{out}, qr/"status 0"/, '... that says why';
};

subtest 'what is said to have the alias, and is removed in the end' => sub {
	my $others = state_of()->{indexes};
	for my $had ({ '*' => { aliases => { eprints => {} } } },
		{ "$first,other" => { aliases => { eprints => {} } } },
		{ $first => { aliases => { another => {} } } }, { error => 'none' }) {
		fault(alias => $had);
		my $op = run_op('full-reindex');
		is $op->{errorClass}, 'invalid', 'is looked at first' or diag $op->{error};
		is_deeply state_of()->{aliases}{eprints}, { $first => 1 },
			'the alias is where it was';
	}
	fault();
	ok !(grep { !state_of()->{indexes}{$_} } keys %$others), 'nothing was removed';
};

subtest 'a server that wants to know who asks' => sub {
	my $file = $daemon->dir . '/credentials';
	my $keep = sub {
		open my $out, '>', $file or die "$file: $!";
		print $out "$_[0]\n";
		close $out;
	};
	fault(authorization => 'Basic YmFja2ZpbGw6aHVudGVyMg==');
	my $op = run_op('full-reindex');
	is $op->{status}, 'failed', 'without credentials it fails';
	is $op->{errorClass}, 'refused', 'as refused';
	$keep->('backfill:hunter2');
	restart(opensearch_credentials_file => $file);
	is run_op('full-reindex')->{status}, 'completed', 'with a password it completes';
	fault(authorization => 'ApiKey c2VjcmV0');
	is run_op('full-reindex')->{status}, 'failed', 'which is not for ever';
	$keep->('ApiKey c2VjcmV0');
	kill 'HUP', $daemon->pid;
	wait_for { run_op('full-reindex')->{status} eq 'completed' } 30,
		'the key to be read and used';
	unlike $daemon->log, qr/hunter2|aHVudGVyMg|c2VjcmV0/, 'the log has none of it';
	fault();
};

subtest 'a name that is none' => sub {
	$daemon->set(opensearch_index => 'Eprints');
	$daemon->stop;
	$daemon->start;
	my $op = run_op('full-reindex');
	is $op->{status}, 'failed', 'fails';
	like $op->{error}, qr/opensearch_index: "Eprints"/, 'naming the setting';
};

$daemon->finish;
close $alive;
waitpid $search, 0;
Backfilld::Process::forget_group($search);
done_testing;
