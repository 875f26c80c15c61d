# The dashboard in a real Chromium: log in, start, watch it move, cancel, look at the
# history; on a phone, in the dark, by keyboard, without a script.  Screenshots are
# browser-*.png in the build directory.

use strict;
use warnings;
use lib ($ENV{BF_SRCDIR} || '.') . '/t/lib';
use Test::More;

use Backfilld::Browser;
use Backfilld::NullOp;
use Backfilld::Test;

my $browser = Backfilld::Browser->start;
if (!$browser) {
	die "chromium-headless-shell is not installed\n" if $ENV{CI};
	plan skip_all => 'chromium-headless-shell is not installed';
}
my $daemon = Backfilld::Test->new(settings => { libexec_dir => null_op_libexec(),
	max_workers => 2 });
$daemon->start;

sub ended {
	my ($what) = @_;
	my $id = $daemon->trigger('did-sync', did => null_op_did($what));
	$daemon->wait_finished($id);
	return $id;
}

sub is_calm {
	my ($what) = @_;
	is_deeply [ $browser->complaints ], [], "$what: no error, no other host";
}

my @past = map { ended($_) } qw(finish fail items crash);

subtest 'log in' => sub {
	$browser->open_page($daemon->url . '/');
	like $browser->eval_js('location.pathname'), qr/login/, 'it leads to the login';
	$browser->screenshot('login');
	is_calm('the login');
	$browser->fill('#secret', 'wrong');
	$browser->press('Enter', text => "\r");
	$browser->wait_text(qr/password is wrong/);
	$browser->complaints;		# the console tells of the 401
	$browser->fill('#secret', $Backfilld::Test::PASSWORD);
	$browser->press('Enter', text => "\r");
	like $browser->wait_text(qr/failed as asked/), qr/Nothing is running/,
		'what runs and what has ended';
	$browser->wait_text(qr/Live/);
	is_calm('the first page');
};

my $did = null_op_did('run');

subtest 'start' => sub {
	$browser->click('=DID sync' . "\n");
	$browser->fill('#did-sync-did', 'nonsense');
	$browser->click('details[open] button');
	ok $browser->eval_js('!document.querySelector("#did-sync-did").checkValidity()'),
		'what is no DID is not sent';
	$browser->eval_js('document.querySelector("#did-sync-did").value = ""');
	$browser->fill('#did-sync-did', $did);
	$browser->click('details[open] button');
	$browser->wait_js('document.querySelector("#active .card")', 'its card');
	$browser->wait_js('document.querySelector("#toasts .toast")', 'word of it');
	is_calm('starting');
	$browser->eval_js('document.querySelector("#did-sync-did").value = "";'
		. 'document.querySelector("#did-sync-did").closest("details").open = true');
	$browser->fill('#did-sync-did', $did);
	$browser->click('details[open] button.primary');
	$browser->wait_js('document.querySelector("details[open] .problem:not([hidden])")
		?.textContent.includes("does the same")', 'that it is under way');
	is $browser->eval_js('document.querySelector("details[open] .problem a").pathname'),
		'/op/' . $daemon->xrpc_get('getBackfillStatus', { status => 'running' })
		->{json}{operations}[0]{id}, 'and where';
	my @complaints = $browser->complaints;
	like "@complaints", qr/409/, 'the console tells of the 409' if @complaints;
	$browser->eval_js('document.querySelector("details[open]").open = false');
};

subtest 'what costs is asked for' => sub {
	$browser->click('=Full reindex');
	$browser->click('details[open] button.primary');
	$browser->wait_js('document.querySelector("dialog[open]")', 'the question');
	like $browser->text, qr/It reads every record/, 'what it costs';
	$browser->press('Escape');
	$browser->wait_js('!document.querySelector("dialog")', 'the question to go');
	is scalar @{ $daemon->xrpc_get('getBackfillStatus', { type => 'full-reindex' })
		->{json}{operations} }, 0, 'nothing was started';
	$browser->eval_js('document.querySelector("details[open]").open = false');
	is_calm('asking');
};

subtest 'figures and bars move by themselves' => sub {
	my $figure = 'document.querySelector("#active [data-f=count]").textContent';
	my $before = $browser->eval_js($figure);
	$browser->wait_js("$figure !== " . Backfilld::Browser::quote($before), 'the figure to move');
	$browser->wait_js('document.querySelector("#active [data-f=rate]").textContent', 'the rate');
	ended('finish');
	$browser->wait_js('document.querySelectorAll("#past tbody tr").length === 5',
		'what has ended to join the history');
	is_calm('moving');
};

my ($running) = $daemon->xrpc_get('getBackfillStatus', { status => 'running' })
	->{json}{operations}[0]{id};

subtest 'how it looks' => sub {
	$browser->eval_js('scrollTo(0, 0)');
	$browser->screenshot('home');
	$browser->view(1280, 900, dark => 1);
	$browser->screenshot('home-dark');
	for my $width (320, 390, 768, 1280) {
		$browser->view($width, 844, mobile => $width < 700);
		is $browser->eval_js('document.documentElement.scrollWidth'), $width,
			"$width wide: nothing sticks out";
		my $small = $browser->eval_js('[...document.querySelectorAll("button,select,'
			. 'summary,input:not([type=hidden]),.card a,.top a")].filter((e) =>'
			. 'e.checkVisibility() && e.getBoundingClientRect().height < 43.5)'
			. '.map((e) => e.outerHTML.slice(0, 60)).join()');
		is $small, '', 'everything to press is 44 pixels high';
		$browser->screenshot('phone') if $width == 390;
	}
	$browser->view(1280, 900, calm => 1);
	is $browser->eval_js('getComputedStyle(document.querySelector(".badge.running"),'
		. '"::before").animationName'), 'none', 'nothing moves for those who want it so';
	$browser->view(1280, 900);
	is_deeply $browser->eval_js('[...document.querySelectorAll("input:not([type=hidden]),'
		. 'select")].filter((e) => e.labels.length === 0).map((e) => e.id)'), [],
		'every field has a label';
	is_calm('looking');
};

subtest 'text can be told from its ground' => sub {
	for my $dark (0, 1) {
		$browser->view(1280, 900, dark => $dark);
		my $bad = $browser->eval_js(contrast_check());
		is_deeply $bad, [], ($dark ? 'dark' : 'light') . ': a contrast of 4.5 at least';
	}
	$browser->view(1280, 900);
};

subtest 'one operation' => sub {
	$browser->click("#active [data-op='$running'] h3 a");
	$browser->wait_js("location.pathname === '/op/$running'", 'its page');
	$browser->wait_text(qr/What happened/);
	$browser->wait_js('document.querySelector(".chart polyline")', 'the chart');
	my $line = 'document.querySelector(".chart polyline").getAttribute("points")';
	my $before = $browser->eval_js($line);
	$browser->wait_js("$line !== " . Backfilld::Browser::quote($before), 'the chart to grow');
	$browser->screenshot('operation');
	$browser->view(390, 844, mobile => 1, dark => 1);
	is $browser->eval_js('document.documentElement.scrollWidth'), 390, 'fits a phone';
	$browser->screenshot('operation-phone-dark');
	$browser->view(1280, 900);
	is_calm('one operation');
};

subtest 'cancel' => sub {
	$browser->click('=Cancel');
	$browser->wait_js('document.querySelector("dialog[open]")', 'the question');
	is $browser->eval_js('document.activeElement.closest("dialog") !== null'), JSON::PP::true,
		'which has the focus';
	$browser->screenshot('dialog');
	$browser->click('=Cancel it');
	$browser->wait_text(qr/The operation is cancelled/);
	$browser->wait_js('document.querySelector(".badge.cancelled")', 'its new state');
	is $daemon->operation($running)->{status}, 'cancelled', 'it is';
	$browser->screenshot('cancelled');
	is_calm('cancelling');
};

subtest 'failing items' => sub {
	$browser->open_page($daemon->url . "/op/$past[2]");
	like $browser->wait_text(qr/What happened/), qr/with errors.*Failed items/s,
		'it completed with errors';
	$browser->screenshot('items');
	$browser->view(390, 844, mobile => 1);
	ok $browser->eval_js('((e) => e.scrollWidth <= e.clientWidth)'
		. '(document.querySelector(".scroll"))'), 'nothing of them is cut off on a phone';
	$browser->screenshot('items-phone');
	$browser->view(1280, 900);
	is_calm('items');
};

subtest 'the server goes and comes back' => sub {
	$browser->open_page($daemon->url . '/');
	$browser->wait_text(qr/Live/);
	my $api = $daemon->wait_child('backfill-api');
	$daemon->expect_error(qr/backfill-api: process $api/);
	kill 'KILL', $api;
	$browser->wait_js('document.querySelector("#link")?.textContent === "Reconnecting"'
		. '|| location.pathname === "/login"', 'the loss to be told');
	ok $browser->wait_js('location.pathname === "/login"', 'the login'),
		'its sessions are gone: to the login';
	$browser->complaints;
};

subtest 'without a script' => sub {
	$browser->without_script(1);
	$browser->open_page($daemon->url . '/login');
	$browser->fill('#secret', $Backfilld::Test::PASSWORD);
	$browser->click('=Log in');
	my $other = null_op_did('run');
	$browser->wait_js('document.querySelector("#history")', 'the first page');
	$browser->click('=DID sync' . "\n");
	$browser->fill('#did-sync-did', $other);
	$browser->click('details[open] button');
	$browser->wait_text(qr/It is accepted/);
	$browser->click('=Cancel');
	$browser->wait_text(qr/It is cancelled/);
	$browser->screenshot('without-script');
	is_calm('without a script');
};

$browser->stop;
$daemon->finish;
done_testing;

# An expression whose value are the texts that stand out too little (WCAG 2, 1.4.3).
sub contrast_check {
	return <<'END';
(() => {
	const parse = (c) => c.match(/[\d.]+/g).map(Number);
	const over = (top, under) => top.slice(0, 3).map((v, i) =>
		v * (top[3] ?? 1) + under[i] * (1 - (top[3] ?? 1)));
	const ground = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
	};
	const light = (c) => {
		const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 :
			((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const bad = [];
	for (const e of document.querySelectorAll('body *')) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
		if (!e.checkVisibility()) continue;
		const under = ground(e);
		const l = [light(over(parse(getComputedStyle(e).color), under)), light(under)]
			.sort((a, b) => b - a);
		const ratio = (l[0] + 0.05) / (l[1] + 0.05);
		if (ratio < 4.5) bad.push(`${e.className || e.tagName} ${ratio.toFixed(2)} ${e.textContent.slice(0, 20)}`);
	}
	return bad;
})()
END
}
