# Every method as the reference's own clients call it, with our lexicons loaded: what
# they send is taken, what they get is valid, what is wrong is refused.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use JSON::PP ();
use Test::More;

use Backfilld::Lexicon;
use Backfilld::Net;
use Backfilld::NullOp;
use Backfilld::Test;

if (!Backfilld::Net->is_available) {
	die "run t/net/install first\n" if $ENV{CI};
	plan skip_all => 'the clients are not installed: run t/net/install';
}
my $libexec = null_op_libexec();
symlink "$Backfilld::Test::BUILDDIR/t/workers/null-op", "$libexec/$_" or die "symlink: $!"
	for qw(pds-scan freshness-scan governance-sync citation-extraction);
symlink "$Backfilld::Test::BUILDDIR/full-reindex", "$libexec/full-reindex"
	or die "symlink: $!";
my $daemon = Backfilld::Test->new(settings => { libexec_dir => $libexec });
$daemon->start;
is $daemon->wait_finished($daemon->trigger('full-reindex'))->{status}, 'completed',
	'there is something to search';

open my $clients, '-|', 'node', Backfilld::Net::dir() . '/clients.mjs', $daemon->url,
	$Backfilld::Test::PASSWORD, "$Backfilld::Test::SRCDIR/etc/lexicons",
	null_op_did('run') or die "node: $!";
my %reports;
while (my $line = <$clients>) {
	my $report = JSON::PP->new->utf8->decode($line);
	push @{ $reports{$report->{client}} }, $report;
}
close $clients;
is $?, 0, 't/net/clients.mjs';
is_deeply [ sort keys %reports ], [ '@atproto/api', '@atproto/xrpc' ], 'both clients';

for my $client (sort keys %reports) {
	my @reports = @{ $reports{$client} };
	my @refused = splice @reports, -4;
	my %seen = map { $_->{method} => 1 } @reports;

	is_deeply [ sort keys %seen ], [ sort(Backfilld::Lexicon::methods()) ],
		"$client: all methods";
	for my $report (@reports) {
		ok $report->{ok}, "$client: $report->{method}"
			or diag "$report->{error}: $report->{message}";
	}
	ok((grep { $_->{method} eq 'cancelBackfill' && $_->{data}{success} } @reports),
		"$client: a cancel succeeds");
	is $refused[0]{error}, 'InvalidRequest', "$client: a DID that is none"
		or diag $refused[0]{message};
	is $refused[1]{error}, 'InvalidBackfillType', "$client: a type that is none";
	is $refused[2]{error}, 'OperationNotFound', "$client: cancel of nothing";
	is $refused[3]{error}, 'OperationNotFound', "$client: status of nothing";
}

$daemon->finish;
done_testing;
