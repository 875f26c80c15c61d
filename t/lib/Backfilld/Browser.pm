package Backfilld::Browser;

# A real Chromium without a window, driven over its DevTools protocol through a pair
# of pipes (--remote-debugging-pipe: JSON texts, each ended by a NUL).
#
#	my $browser = Backfilld::Browser->start;	# nothing if there is no Chromium
#	$browser->open_page("$url/");
#	$browser->click('text of a button or link');
#	$browser->wait_text(qr/Running/);
#	$browser->screenshot('name');		# browser-NAME.png in the build directory
#	is_deeply [ $browser->complaints ], [], 'no error';
#
# Names are resolved to nothing but loopback, and whatever a page asks of another host
# is a complaint, as is every error on the console.

use strict;
use warnings;
use Cwd ();
use File::Path ();
use File::Temp ();
use IO::Select;
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes ();

use Backfilld::Process qw(wait_for);

use constant SECONDS => 60;

my @PROGRAMS = map { ("/usr/bin/$_") } qw(chromium-headless-shell chromium);
my $json = JSON::PP->new->utf8->allow_nonref;

sub program {
	return (grep { -x } $ENV{BF_CHROMIUM} || @PROGRAMS)[0];
}

sub start {
	my ($class) = @_;
	my $program = program() or return;
	my $dir = File::Temp::tempdir('backfilld-b-XXXXXX', TMPDIR => 1);
	pipe my $their_in, my $to or die "pipe: $!";
	pipe my $from, my $their_out or die "pipe: $!";
	my @argv = ($program, '--headless', '--remote-debugging-pipe',
		"--user-data-dir=$dir", '--no-first-run', '--disable-gpu',
		'--disable-dev-shm-usage', '--disable-background-networking',
		'--disable-component-update', '--disable-sync', '--hide-scrollbars',
		'--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
		$> == 0 ? '--no-sandbox' : (), 'about:blank');
	my $pid = Backfilld::Process::fork_group(sub {
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', "$dir/log";
		my ($in, $out) = map { fcntl $_, Fcntl::F_DUPFD(), 10 } $their_in, $their_out;
		POSIX::dup2($in, 3);
		POSIX::dup2($out, 4);
		POSIX::close($_) for 5 .. 30;
		delete $ENV{LD_PRELOAD};
		exec { $program } @argv or POSIX::_exit(127);
	});
	my $self = bless { dir => $dir, pid => $pid, to => $to, from => $from, in => '',
		number => 0, events => [], complaints => [], width => 1280, height => 900 },
		$class;
	close $their_in;
	close $their_out;
	$self->attach;
	return $self;
}

# A tab of our own, and everything that it may complain of.
sub attach {
	my ($self) = @_;
	my $target = $self->call('Target.createTarget', { url => 'about:blank' })->{targetId};
	$self->{session} = $self->call('Target.attachToTarget',
		{ targetId => $target, flatten => JSON::PP::true })->{sessionId};
	$self->call("$_.enable") for qw(Page Runtime Log Network);
	$self->view(1280, 900);
}

# --- the protocol ---

sub send {
	my ($self, $method, $params) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $text = $json->encode({ id => ++$self->{number}, method => $method,
		params => $params || {},
		$self->{session} ? (sessionId => $self->{session}) : () }) . "\0";
	while (length $text) {
		my $n = syswrite $self->{to}, $text;
		defined $n or die "the browser is gone: $!\n";
		substr $text, 0, $n, '';
	}
	return $self->{number};
}

# The next message, which is noted if it is an event; nothing if none comes in time.
sub receive {
	my ($self, $seconds) = @_;
	while ($self->{in} !~ /\0/) {
		return unless IO::Select->new($self->{from})->can_read($seconds);
		sysread $self->{from}, $self->{in}, 1 << 20, length $self->{in}
			or die "the browser has ended\n";
	}
	$self->{in} =~ s/^([^\0]*)\0//;
	my $msg = $json->decode($1);
	$self->note_event($msg) if $msg->{method};
	return $msg;
}

sub call {
	my ($self, $method, $params) = @_;
	my $number = $self->send($method, $params);
	while (my $msg = $self->receive(SECONDS * Backfilld::Process::time_factor())) {
		next if !defined $msg->{id} || $msg->{id} != $number;
		die "$method: $msg->{error}{message}\n" if $msg->{error};
		return $msg->{result};
	}
	die "$method: no answer from the browser\n";
}

sub note_event {
	my ($self, $msg) = @_;
	my ($method, $params) = @$msg{qw(method params)};

	push @{ $self->{events} }, $method;
	if ($method eq 'Network.requestWillBeSent') {
		my $url = $params->{request}{url};
		$self->complain("asks another host: $url")
			if $url !~ m{^(?:http://127\.0\.0\.1:|data:|about:|chrome)};
	} elsif ($method eq 'Runtime.exceptionThrown') {
		my $details = $params->{exceptionDetails};
		$self->complain("exception: $details->{text} "
			. ($details->{exception}{description} // ''));
	} elsif ($method eq 'Runtime.consoleAPICalled') {
		$self->complain("console.$params->{type}")
			if $params->{type} =~ /^(?:error|warning|assert)$/;
	} elsif ($method eq 'Log.entryAdded') {
		my $entry = $params->{entry};
		$self->complain("$entry->{level}: $entry->{text} " . ($entry->{url} // ''))
			if $entry->{level} =~ /^(?:error|warning)$/;
	}
}

sub complain { push @{ $_[0]{complaints} }, $_[1] }

# What was complained of since the last call.
sub complaints {
	my ($self) = @_;
	1 while $self->receive(0);
	return splice @{ $self->{complaints} };
}

# --- the page ---

# Text as the page's language writes it.
sub quote { return $json->encode($_[0]) }

# The value of an expression in the page.
sub eval_js {
	my ($self, $expression) = @_;
	my $result = $self->call('Runtime.evaluate', { expression => $expression,
		returnByValue => JSON::PP::true, awaitPromise => JSON::PP::true });
	die "in the page: $expression: " . $json->encode($result->{exceptionDetails}) . "\n"
		if $result->{exceptionDetails};
	return $result->{result}{value};
}

# Wait until an expression is true; that value is returned.
sub wait_js {
	my ($self, $expression, $what) = @_;
	my $value = eval {
		wait_for { eval { $self->eval_js($expression) } } SECONDS, $what || $expression
	};
	return $value if $value;
	my $error = $@;
	$self->screenshot('failure');
	die $error;
}

sub open_page {
	my ($self, $url) = @_;
	$self->call('Page.navigate', { url => $url });
	$self->wait_js('document.readyState === "complete" && location.href !== "about:blank"',
		"the page $url");
}

sub text { return $_[0]->eval_js('document.body.innerText') }

sub wait_text {
	my ($self, $pattern) = @_;
	my $text = '';
	eval { wait_for { $text = eval { $self->text } // ''; $text =~ $pattern } SECONDS,
		"the page to say $pattern" } or $self->screenshot('failure') && die "$@$text\n";
	return $text;
}

# A real click, in the middle of the element that a selector finds, or that has
# exactly this text if it starts with "="; once the page is whole, and moves no more.
sub click {
	my ($self, $what) = @_;
	my $find = $what =~ /^=(.*)/s
		? '[...document.querySelectorAll("a,button,summary,label")].find((e) => '
			. 'e.checkVisibility() && e.innerText.trim().startsWith('
			. $json->encode($1) . '))'
		: 'document.querySelector(' . $json->encode($what) . ')';
	my $spot = $self->wait_js("(() => { const e = $find;"
		. 'if (!e || document.readyState !== "complete") return null;'
		. 'e.scrollIntoView({ block: "center", behavior: "instant" });'
		. 'const r = e.getBoundingClientRect();'
		. 'return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()', "$what to click");
	$self->call('Input.dispatchMouseEvent', { type => $_, x => $spot->{x},
		y => $spot->{y}, button => 'left', clickCount => 1 })
		for qw(mousePressed mouseReleased);
}

# Type into the element, as a person does.
sub fill {
	my ($self, $selector, $text) = @_;
	$self->click($selector);
	$self->call('Input.insertText', { text => $text });
}

my %CODES = (Enter => 13, Escape => 27, Tab => 9);

sub press {
	my ($self, $key, %more) = @_;
	$self->call('Input.dispatchKeyEvent', { type => $_, key => $key, code => $key,
		windowsVirtualKeyCode => $CODES{$key}, %more }) for qw(keyDown keyUp);
}

# --- how it looks ---

# Options: mobile, dark, calm (prefers-reduced-motion).
sub view {
	my ($self, $width, $height, %options) = @_;
	$self->call('Emulation.setDeviceMetricsOverride', { width => $width,
		height => $height, deviceScaleFactor => $options{mobile} ? 2 : 1,
		mobile => $options{mobile} ? JSON::PP::true : JSON::PP::false });
	$self->call('Emulation.setTouchEmulationEnabled',
		{ enabled => $options{mobile} ? JSON::PP::true : JSON::PP::false });
	$self->call('Emulation.setEmulatedMedia', { features => [
		{ name => 'prefers-color-scheme', value => $options{dark} ? 'dark' : 'light' },
		{ name => 'prefers-reduced-motion',
			value => $options{calm} ? 'reduce' : 'no-preference' } ] });
}

sub without_script {
	my ($self, $is_off) = @_;
	$self->call('Emulation.setScriptExecutionDisabled',
		{ value => $is_off ? JSON::PP::true : JSON::PP::false });
}

# The whole page as browser-NAME.png in the build directory.
sub screenshot {
	my ($self, $name) = @_;
	my $file = ($ENV{BF_BUILDDIR} || Cwd::getcwd()) . "/browser-$name.png";
	my $size = $self->call('Page.getLayoutMetrics')->{cssContentSize};
	my $data = $self->call('Page.captureScreenshot', { format => 'png',
		captureBeyondViewport => JSON::PP::true, clip => { x => 0, y => 0,
		width => $size->{width}, height => $size->{height}, scale => 1 } })->{data};
	open my $out, '>:raw', $file or die "$file: $!";
	print $out MIME::Base64::decode($data);
	close $out or die "$file: $!";
	return $file;
}

sub stop {
	my ($self) = @_;
	return if !$self->{pid};
	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
	Backfilld::Process::forget_group($self->{pid});
	File::Path::remove_tree($self->{dir});
	delete $self->{pid};
}

sub DESTROY { local ($?, $@); $_[0]->stop }

1;
