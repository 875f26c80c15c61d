package Backfilld::Account;

# One account on a real PDS and what its owner, or the PDS's administrator, does
# with it.  Every method dies when the PDS refuses.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 ();

my $json = JSON::PP->new->utf8->canonical;

# did, handle, password, pds, records: as t/net/seed.mjs prints them; net.
sub new {
	my ($class, %fields) = @_;
	return bless { %fields }, $class;
}

sub did { return $_[0]{did} }
sub pds { return $_[0]{pds} }

sub call {
	my ($self, $method, $nsid, $params, $headers) = @_;
	my $http = HTTP::Tiny->new(timeout => 60);
	my $url = "$self->{pds}/xrpc/$nsid";
	my %options = (headers => { %{ $headers || {} } });

	if ($method eq 'GET') {
		$url .= '?' . $http->www_form_urlencode($params);
	} elsif ($params) {
		$options{headers}{'content-type'} = 'application/json';
		$options{content} = $json->encode($params);
	}
	my $response = $http->request($method, $url, \%options);
	die "$nsid: $response->{status} $response->{content}\n" if !$response->{success};
	return $response->{content} if ($response->{headers}{'content-type'} // '') !~ /json/;
	return $json->decode($response->{content});
}

sub get {
	my ($self, $nsid, %params) = @_;
	return $self->call('GET', $nsid, \%params);
}

sub login {
	my ($self) = @_;
	return $self->call('POST', 'com.atproto.server.createSession',
		{ identifier => $self->{did}, password => $self->{password} })->{accessJwt};
}

sub post {
	my ($self, $nsid, $input) = @_;
	$self->{token} //= $self->login;
	return $self->call('POST', $nsid, $input,
		{ authorization => "Bearer $self->{token}" });
}

sub post_as_admin {
	my ($self, $nsid, $input) = @_;
	my $basic = MIME::Base64::encode("admin:$self->{net}{adminPassword}", '');
	return $self->call('POST', $nsid, $input, { authorization => "Basic $basic" });
}

# --- records ---

sub write {
	my ($self, $method, $collection, $rkey, $record) = @_;
	return $self->post("com.atproto.repo.$method", {
		repo => $self->{did}, collection => $collection,
		defined $rkey ? (rkey => $rkey) : (),
		$record ? (record => { '$type' => $collection,
			createdAt => '2026-01-02T03:04:05Z', %$record }) : (),
	});
}

# Both return {uri, cid}.
sub create { my ($self, $coll, $record) = @_; $self->write('createRecord', $coll, undef, $record) }
sub put { my ($self, $coll, $rkey, $record) = @_; $self->write('putRecord', $coll, $rkey, $record) }
sub delete { my ($self, $coll, $rkey) = @_; $self->write('deleteRecord', $coll, $rkey) }

# Give the PDS bytes; returns the blob as a record has it.  Once no record has it any
# more, the PDS forgets it.
sub upload_blob {
	my ($self, $bytes, $type) = @_;
	$self->{token} //= $self->login;
	my $response = HTTP::Tiny->new(timeout => 60)->post(
		"$self->{pds}/xrpc/com.atproto.repo.uploadBlob",
		{ content => $bytes, headers => { 'content-type' => $type,
			authorization => "Bearer $self->{token}" } });
	die "uploadBlob: $response->{status} $response->{content}\n" if !$response->{success};
	return $json->decode($response->{content})->{blob};
}

# Everything that the PDS lists: {'collection/rkey' => {cid, value}}.
sub list_records {
	my ($self) = @_;
	my $described = $self->get('com.atproto.repo.describeRepo', repo => $self->{did});
	return { map { $self->list_collection($_) } @{ $described->{collections} } };
}

sub list_collection {
	my ($self, $collection) = @_;
	my (@found, $cursor);

	do {
		my $page = $self->get('com.atproto.repo.listRecords', repo => $self->{did},
			collection => $collection, limit => 100,
			defined $cursor ? (cursor => $cursor) : ());
		for my $record (@{ $page->{records} }) {
			my ($path) = $record->{uri} =~ m{^at://[^/]+/(.+)$};
			push @found, $path => { cid => $record->{cid}, value => $record->{value} };
		}
		$cursor = $page->{cursor};
	} while (defined $cursor);
	return @found;
}

# {cid, rev}
sub latest_commit {
	my ($self) = @_;
	return $self->get('com.atproto.sync.getLatestCommit', did => $self->{did});
}

# The repository as a CAR file, bytes.
sub repo_car {
	my ($self) = @_;
	return $self->get('com.atproto.sync.getRepo', did => $self->{did});
}

# --- the account ---

sub deactivate { $_[0]->post('com.atproto.server.deactivateAccount', {}) }
sub activate { $_[0]->post('com.atproto.server.activateAccount') }

sub take_down {
	my ($self) = @_;
	$self->post_as_admin('com.atproto.admin.updateSubjectStatus', {
		subject => { '$type' => 'com.atproto.admin.defs#repoRef', did => $self->{did} },
		takedown => { applied => JSON::PP::true, ref => 'test' },
	});
}

sub delete_account {
	my ($self) = @_;
	$self->post_as_admin('com.atproto.admin.deleteAccount', { did => $self->{did} });
}

# To another PDS of the network, by number; we are there then.
sub migrate {
	my ($self, $to) = @_;
	$self->{net}->control('migrate', did => $self->{did},
		password => $self->{password}, to => $to);
	$self->{pds} = $self->{net}->pds_url($to);
	delete $self->{token};
}

# Another signing key, in the repository and in the DID's document.
sub rotate_key {
	my ($self) = @_;
	$self->{net}->control('rotate', did => $self->{did});
}

# The DID itself ends: the directory answers 404.
sub tombstone {
	my ($self) = @_;
	$self->{net}->control('tombstone', did => $self->{did});
}

1;
