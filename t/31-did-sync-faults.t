# did-sync against a server that misbehaves, and workers that are stopped or
# killed in the middle: the index is as before, and the operation says the truth.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;
use Time::HiRes ();

use Backfilld::FakePDS;
use Backfilld::Test;

my $vectors = ($ENV{BACKFILLD_VECTORS} // '') . '/derived/synthetic-cars';
plan skip_all => "no test vectors at $vectors" unless -e "$vectors/manifest.json";

my $manifest = JSON::PP->new->decode(slurp("$vectors/manifest.json"));
my $did = 'did:plc:k256testaaaaaaaaaaaaaaaa';
my $document = $manifest->{dids}{$did}{did_doc};
my $other_cid = 'bafyreihyytygaobgawe7aqhkwh6ekwzoytfpxo4skvx5vu4rsr6jaowpda';
my $good = slurp("$vectors/good-k256.car");

my $fake = Backfilld::FakePDS->start;
my $daemon = Backfilld::Test->new(net => $fake,
	settings => { fetch_retries => 1, cancel_grace_ms => 5000 });
$fake->add_repo($did, $document, $good);
$daemon->start;

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

sub sync {
	return $daemon->wait_finished($daemon->trigger('did-sync', did => $did), 60);
}

sub indexed {
	return scalar @{ $daemon->records('--did', $did) };
}

# The account itself is what could not be done, by every account of it.
sub is_one_item {
	my ($operation, $class) = @_;
	my $shown = $daemon->ctl('show', $operation->{id}, '--items')->{json};
	my $over_api = $daemon->xrpc_get('getBackfillStatus', { id => $operation->{id} })
		->{json}{operation};

	is_deeply [ map { [ @$_{qw(item errorClass error)} ] } @{ $shown->{items} } ],
		[ [ $did, $class, $operation->{error} ] ], 'the account is the failed item';
	is $operation->{itemsFailed}, 1, '... and is counted';
	is $over_api->{itemsFailed}, 1, '... by the API, too';
	is $over_api->{status}, 'failed', '... whose word is the same';
}

# A sync that hangs in the middle of its download: (id, pid of its worker).
sub hanging {
	$fake->answer_repo($did, $good, hold_after => 10_000);
	my $id = $daemon->trigger('did-sync', did => $did);
	$daemon->wait_operation($id, sub { ($_[0]{usage}{bytesFetched} // 0) > 0 },
		'to have fetched something');
	return ($id, $daemon->wait_child('did-sync'));
}

subtest 'cancelled in the middle of a download' => sub {
	my ($id, $pid) = hanging();
	my $start = Time::HiRes::time();

	ok $daemon->xrpc_post('cancelBackfill', { id => $id })->{json}{success}, 'success';
	cmp_ok Time::HiRes::time() - $start, '<', 4, 'before the grace period ends';
	ok !is_alive($pid), 'the worker is gone';
	my $operation = $daemon->operation($id);
	is $operation->{status}, 'cancelled', 'cancelled';
	is $operation->{exit}{code}, 143, 'the worker ended by itself';
	wait_for { !grep { $_->{is_open} } $fake->requests('getRepo') } 5,
		'the connection to the server to end';
	is $daemon->ctl('records', '--did', $did)->{status}, 3, 'nothing is indexed';
	$fake->release;
};

subtest 'the next attempt after that is a whole one' => sub {
	$fake->answer_repo($did, $good);
	my $operation = sync();
	is $operation->{status}, 'completed', 'it completes' or diag $operation->{error};
	is indexed(), 121, 'every record';
};

# From now on there always seems to be something new.
$fake->answer(getLatestCommit => $did, {
	body => '{"rev":"3zzzzzzzzzzz2","cid":"' . $other_cid . '"}',
	headers => { 'content-type' => 'application/json' } });

# SIGSEGV would be caught by a sanitizer.
for my $signal (qw(KILL ABRT)) {
	subtest "a worker that gets SIG$signal in the middle" => sub {
		my ($id, $pid) = hanging();

		$fake->answer_repo($did, $good);
		kill $signal, $pid;
		my $operation = $daemon->wait_finished($id);
		like $daemon->log, qr/op $id did-sync: interrupted: the worker was killed by signal/,
			'its death is told';
		is $operation->{status}, 'completed', 'another one does it' or diag $operation->{error};
		is $operation->{attempt}, 2, 'in a second attempt';
		is indexed(), 121, 'the index is as before';
		$fake->release;
	};
}

subtest 'an answer without a content type' => sub {
	$fake->answer(getRepo => $did, { body => '<html>' });
	my $operation = sync();
	is $operation->{errorClass}, 'invalid', 'it fails';
	is $operation->{error},
		'getRepo: the content type is "" instead of application/vnd.ipld.car', 'and says so';
	is indexed(), 121, 'the index is as before';
};

my %bad = (
	'bad-hash-mismatch.car' => 'BadBlock',
	'bad-sig-wrong-key.car' => 'BadSignature',
	'bad-commit-other-did.car' => 'BadCommit',
	'mst-unsorted.car' => 'BadTree',
	'bad-record-missing.car' => 'Incomplete',
	'bad-truncated-block.car' => 'Truncated',
	'bad-version2.car' => 'BadCar',
	'bad-commit-version4.car' => 'BadCommit',
	'bad-commit-no-sig.car' => 'BadCommit',
	'bad-sig-high-s.car' => 'BadSignature',
	'bad-root-missing.car' => 'Incomplete',
	'bad-html.car' => 'invalid',
	'mst-child-below-layer0.car' => 'BadTree',
);
my %row = ('bad-commit-other-did.car' => 'F95', 'bad-commit-version4.car' => 'F95',
	'bad-record-missing.car' => 'F89', 'mst-unsorted.car' => 'F90',
	'bad-sig-high-s.car' => 'F93');
for my $file (sort keys %bad) {
	subtest +($row{$file} ? "$row{$file}: " : '') . "a repository that is $file" => sub {
		$fake->answer_repo($did, slurp("$vectors/$file"));
		my $operation = sync();
		is $operation->{status}, 'failed', 'failed';
		is $operation->{errorClass}, $bad{$file}, 'for the right reason';
		ok length $operation->{error}, 'which is told in words';
		is indexed(), 121, 'the index is as before';
		is_one_item($operation, 'invalid');
	};
}

subtest 'a record that is not canonical' => sub {
	$fake->answer_repo($did, slurp("$vectors/rec-float.car"));
	my $operation = sync();
	is $operation->{status}, 'completed', 'completed';
	is $operation->{itemsFailed}, 1, 'with one item that failed';
	my $items = $daemon->ctl('show', $operation->{id}, '--items');
	is indexed(), $operation->{recordsProcessed} - 1, 'the others are indexed';
};

subtest 'a server that cuts the transfer once' => sub {
	$fake->answer(getRepo => $did,
		{ file => $fake->file($good), cut_after => 20_000,
			headers => { 'content-type' => 'application/vnd.ipld.car' } },
		{ file => $fake->file($good),
			headers => { 'content-type' => 'application/vnd.ipld.car' } });
	my $operation = sync();
	is $operation->{status}, 'completed', 'it is asked again' or diag $operation->{error};
	is indexed(), 121, 'and the index is right';
};

# What an operation learned of a server is in the table `host`, for all others.
sub host {
	my ($host) = grep { $_->{origin} eq $fake->url }
		@{ $daemon->ctl('index', 'hosts')->{lines} };
	return $host // {};
}

subtest 'what was learned is remembered' => sub {
	is host()->{source}, 'document', 'the server is known';
	is host()->{failures} // 0, 0, 'and well';
	my ($known) = grep { $_->{did} eq $did }
		@{ $daemon->ctl('index', 'identities')->{lines} };
	is $known->{pdsUrl}, $fake->url, 'so is where the account lives';
};

subtest 'a server that says no' => sub {
	$fake->answer(getLatestCommit => $did, $fake->xrpc_error(500, 'InternalServerError'));
	my $operation = sync();
	is $operation->{status}, 'failed', 'failed';
	is $operation->{errorClass}, 'server-error', 'as an error of the server';
	is indexed(), 121, 'the index is as before';
	is_one_item($operation, 'unreachable');
	cmp_ok host()->{failures} // 0, '>', 0, 'that it failed is remembered';

	$fake->answer(getLatestCommit => $did, { headers => { 'content-type' => 'application/json' },
		body => '{"rev":"3zzzzzzzzzzz2","cid":"' . $other_cid . '"}' });
	$fake->answer_repo($did, $good);
	my $retry = $daemon->ctl('retry', '--failed', $operation->{id}, '--wait');
	is $retry->{status}, 0, 'once it says yes, a retry of what failed does it'
		or diag $retry->{err};
	is_deeply $retry->{json}{params}, { did => $did, itemsOf => $operation->{id} },
		'... the account';
	is $retry->{json}{itemsFailed} // 0, 0, '... with nothing left';
};

subtest 'a record that was refused is looked at again by a retry' => sub {
	$fake->answer_repo($did, slurp("$vectors/rec-float.car"));
	my $operation = sync();
	my ($item) = @{ $daemon->ctl('show', $operation->{id}, '--items')->{json}{items} };
	like $item->{item}, qr{^at://$did/}, 'it is an item';
	my $retry = $daemon->ctl('retry', '--failed', $operation->{id}, '--wait');
	is $retry->{json}{itemsFailed}, 1, '... still, since it has not changed';
	$fake->answer_repo($did, $good);
	$retry = $daemon->ctl('retry', '--failed', $operation->{id}, '--wait');
	is $retry->{json}{itemsFailed} // 0, 0, '... and none once it has';
};

$daemon->finish;
$fake->stop;
done_testing;
