# The API without its supervisor: reads are answered, changes get a clear error,
# and when a new supervisor comes it makes room for that one's API.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes ();

use Backfilld::Api;
use Backfilld::Process qw(wait_for);

my $nsid = '/xrpc/pub.chive.admin';

sub is_error {
	my ($answer, $status, $name, $what) = @_;
	is $answer->{status}, $status, "$what: status $status";
	is $answer->{json}{error}, $name, "$what: $name" or diag $answer->{body};
}

subtest 'a supervisor that goes away' => sub {
	my $api = Backfilld::Api->new;
	my ($id) = $api->fill('create pds-scan admin');
	$api->start;
	my @waiting = ($api->ask('POST', "$nsid.triggerPDSScan", body => {}),
		$api->ask('POST', "$nsid.cancelBackfill", body => { id => $id }));
	$api->expect('trigger');
	$api->expect('cancel');
	$api->hang_up;

	for my $waiting (@waiting) {
		my $answer = $waiting->answer;
		is_error($answer, 503, 'SupervisorUnavailable', 'a request on its way');
		ok $answer->{headers}{'retry-after'}, 'Retry-After';
	}
	is $api->get("$nsid.getBackfillStatus?id=$id")->{json}{operation}{id}, $id,
		'one operation can be read';
	is scalar @{ $api->get("$nsid.getBackfillStatus")->{json}{operations} }, 1,
		'the list can be read';
	is_error($api->post("$nsid.triggerPDSScan", {}), 503, 'SupervisorUnavailable',
		'a trigger');
	is_error($api->post("$nsid.cancelBackfill", { id => $id }), 503,
		'SupervisorUnavailable', 'a cancel');
	is_error($api->post("$nsid.triggerPDSScan", { pdsUrl => 1 }), 400,
		'InvalidRequest', 'a bad input is still a bad input');
	is $api->get('/livez')->{status}, 200, 'livez';
	is $api->get('/xrpc/_health')->{status}, 200, '_health';
	my $ready = $api->get('/readyz');
	is $ready->{status}, 503, 'readyz says no';
	is $ready->{json}{operations}, JSON::PP::true, 'and that reading works';

	my $control = IO::Socket::UNIX->new(Local => "$api->{dir}/run/control.sock",
		Listen => 5) or die "control.sock: $!";
	is $api->wait_exit, 0, 'it exits when a new supervisor answers';
	ok !eval { $api->connect }, 'and the port is free';
	unlike $api->log, qr/Sanitizer|runtime error:/, 'no sanitizer report';
};

subtest 'a supervisor that does not answer' => sub {
	my $api = Backfilld::Api->new(settings => { cancel_grace_ms => 100 });
	my ($id) = $api->fill('create pds-scan admin');
	$api->start;
	my $started = Time::HiRes::time();
	my $trigger = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
	my $cancel = $api->ask('POST', "$nsid.cancelBackfill", body => { id => $id });
	my $late = $api->expect('trigger');
	$api->expect('cancel');

	is_error($trigger->answer, 504, 'UpstreamTimeout', 'a trigger');
	is_error($cancel->answer, 504, 'UpstreamTimeout', 'a cancel');
	cmp_ok Time::HiRes::time() - $started, '>', 4, 'not before its time';
	is $api->get("$nsid.getBackfillStatus?id=$id")->{status}, 200, 'reads go on';

	$api->tell('op', req => $late->{req}, op => { id => $id, type => 'pds-scan',
		status => 1, created_ms => 1 });
	$trigger = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
	$api->tell('op', req => $api->expect('trigger')->{req}, op => { id => $id,
		type => 'pds-scan', status => 1, created_ms => 1 });
	is $trigger->answer->{status}, 200, 'an answer that comes too late harms nobody';
	$api->finish;
};

subtest 'settings that change' => sub {
	my $api = Backfilld::Api->new(settings => { log_level => 'info' });
	$api->start;
	$api->tell('setting', name => 'admin_password', value => 'other');
	$api->tell('setting', name => 'log_level', value => 'debug');
	wait_for {
		my $broken = $api->connect;
		$broken->put("GET /livez\r\n\r\n");	# HTTP/0.9
		$broken->answer;
		$api->log =~ /^<7>/m
	} 10, 'a log line of level debug';
	pass 'log_level can be reloaded';
	is $api->get("$nsid.getBackfillStatus")->{status}, 200,
		'the password cannot: it stays';
	$api->finish;
};

subtest 'SIGTERM finishes what has begun' => sub {
	my $api = Backfilld::Api->new;
	$api->start;
	my $idle = $api->connect;
	$api->ask('GET', '/livez', on => $idle)->answer;
	my $waiting = $api->ask('POST', "$nsid.triggerPDSScan", body => {});
	my $req = $api->expect('trigger')->{req};
	kill 'TERM', $api->{pid};
	wait_for { !eval { $api->connect } } 10, 'the listening socket to close';
	$api->tell('error', req => $req, name => 'QueueFull', text => 'full');
	my $answer = $waiting->answer;
	is_error($answer, 503, 'QueueFull', 'the request');
	is $answer->{headers}{connection}, 'close', 'is the last of its connection';
	is $api->wait_exit, 0, 'then it exits with status 0';
	ok $idle->is_closed, 'an idle connection does not hold it';
	unlike $api->log, qr/Sanitizer|runtime error:/, 'no sanitizer report';
};

subtest 'a supervisor that breaks the protocol' => sub {
	my %broken = (
		'a message for somebody else' => sub { $_[0]->tell('attach', id => 'x') },
		'a message from a client' => sub { $_[0]->tell('trigger', req => 1) },
		'a second hello' => sub { $_[0]->tell('hello', version => Backfilld::Frames::version(), pid => 1) },
		'a setting with a value that it cannot have' => sub {
			$_[0]->tell('setting', name => 'cancel_grace_ms', value => 'x') },
		'no frame' => sub { syswrite $_[0]{channel}, "\xff" x 8 },
	);
	for my $what (sort keys %broken) {
		my $api = Backfilld::Api->new;
		$api->start;
		$broken{$what}->($api);
		is $api->wait_exit >> 8, 76, "$what: EXIT_PROTOCOL";
		like $api->log, qr/^<3>/m, 'and a line in the log';
	}
};

subtest 'a start that cannot succeed' => sub {
	my $api = Backfilld::Api->new;
	$api->spawn->expect('hello');
	$api->hang_up;
	is $api->wait_exit, 0, 'a supervisor that goes before its hello: nothing to do';

	$api = Backfilld::Api->new;
	$api->spawn->expect('hello');
	$api->tell('setting', name => 'no_such_setting', value => '1');
	is $api->wait_exit >> 8, 76, 'a setting that is none';

	$api = Backfilld::Api->new(settings => { state_dir => '/nonexistent' });
	$api->spawn->greet;
	is $api->wait_exit >> 8, 74, 'no operations/: EXIT_STORE';
	like $api->log, qr{/nonexistent/operations}, 'and says where it looked';

	is system("$Backfilld::Api::BUILDDIR/backfill-api </dev/null 2>/dev/null") >> 8, 2,
		'by hand: EXIT_USAGE';
};

done_testing;
