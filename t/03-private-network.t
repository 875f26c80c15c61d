# The private network that other tests rest on does what they take for granted.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Net;

my $net = Backfilld::Net->start(pds => 2);
my ($author, $other) = $net->seed(accounts => 2, records => 30);

subtest 'seeding makes as many records as it says' => sub {
	my $records = $author->list_records;
	is keys %$records, $author->{records}, 'those of the first account';
	is keys %{ $other->list_records }, $other->{records}, 'those of the second';
	ok((grep { m{^pub\.chive\.} } keys %$records), 'pub.chive.* is among them');
};

subtest 'records can be created, replaced and deleted' => sub {
	my $before = $author->latest_commit->{rev};
	my $made = $author->create('app.bsky.feed.post', { text => 'one' });
	my ($rkey) = $made->{uri} =~ m{/([^/]+)$};
	my $path = "app.bsky.feed.post/$rkey";

	is $author->list_records->{$path}{cid}, $made->{cid}, 'created';
	$author->put('app.bsky.feed.post', $rkey, { text => 'two' });
	is $author->list_records->{$path}{value}{text}, 'two', 'replaced';
	$author->delete('app.bsky.feed.post', $rkey);
	ok !exists $author->list_records->{$path}, 'deleted';
	cmp_ok $author->latest_commit->{rev}, 'gt', $before, 'the revision grew';
};

subtest 'a deactivated account says so until it is active again' => sub {
	$author->deactivate;
	ok !eval { $author->repo_car }, 'no repository';
	like $@, qr/RepoDeactivated/, 'with the reason';
	$author->activate;
	ok length $author->repo_car, 'a repository again';
};

subtest 'an account moves to another PDS with its records' => sub {
	my $before = $author->list_records;
	$author->migrate(1);
	is_deeply $author->list_records, $before, 'the same records';
	is $net->did_document($author->did)->{service}[0]{serviceEndpoint},
		$net->pds_url(1), 'the DID document says where';
};

subtest 'a PDS that was stopped comes back with its data' => sub {
	my $commit = $other->latest_commit;
	$net->stop_pds(1);
	ok !eval { $other->latest_commit }, 'nobody answers';
	$net->start_pds(1);
	is_deeply $other->latest_commit, $commit, 'the same commit';
};

subtest 'a taken-down account is refused, a tombstoned DID not found' => sub {
	$other->take_down;
	ok !eval { $other->repo_car }, 'no repository';
	like $@, qr/RepoTakendown/, 'with the reason';
	$other->tombstone;
	ok !eval { $net->did_document($other->did) }, 'no DID document';
};

is $net->stop, 0, 'the network stops cleanly when its standard input ends';
ok !-e $net->{directory}, 'and leaves nothing behind';

done_testing;
