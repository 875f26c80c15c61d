// Records as an application would have them, from a seeded generator: the same
// seed gives the same keys and contents.

// mulberry32, a 32-bit generator: small, and good enough for text.
export function randomFrom(seed) {
	let state = seed >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let t = Math.imul(state ^ (state >>> 15), 1 | state)
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
	}
}

const TID_DIGITS = '234567abcdefghijklmnopqrstuvwxyz'

export function tid(micros, clock = 7) {
	let n = (BigInt(micros) << 10n) | BigInt(clock)
	let text = ''
	for (let i = 0; i < 13; i++, n >>= 5n)
		text = TID_DIGITS[Number(n & 31n)] + text
	return text
}

const WORDS = `a an the of for in on and with without beyond under measure spectral
	open replication bounded sparse graph repository latent coral archive method
	tropical boundary field sediment protein language survey quantum noise label
	commons index evidence migration federated protocol reading corpus signal über
	naïve Ωmega 日本語 наука معرفة 🧪 stability causal peer review city forest learning`
	.split(/\s+/)
const FIELDS = ['biology', 'computer-science', 'linguistics', 'physics', 'history']
const LICENSES = ['CC-BY-4.0', 'CC-BY-SA-4.0', 'CC0-1.0', 'MIT']
const CITED = ['cites', 'extends', 'refutes', 'reviews', 'uses-data', 'uses-method']

// What the records of one account are made from.  `others` are DIDs to point at,
// `blob` is a blob reference that the PDS knows.
export class RecordMaker {
	constructor({ seed, did, others, blob }) {
		this.random = randomFrom(seed)
		this.did = did
		this.others = others
		this.blob = blob
		this.micros = 1_700_000_000_000_000 + (seed % 1000) * 1_000_000
		this.made = {}		// collection -> keys, newest last
	}

	int(below) {
		return Math.floor(this.random() * below)
	}

	pick(list) {
		return list[this.int(list.length)]
	}

	words(least, most) {
		const count = least + this.int(most - least + 1)
		return Array.from({ length: count }, () => this.pick(WORDS)).join(' ')
	}

	nextKey() {
		this.micros += 1_000 + this.int(90_000_000)
		return tid(this.micros)
	}

	now() {
		return new Date(this.micros / 1000).toISOString()
	}

	uriOf(collection) {
		const keys = this.made[collection]
		const key = keys ? this.pick(keys) : tid(this.micros)
		return `at://${this.did}/${collection}/${key}`
	}

	// The next write for applyWrites.
	next() {
		let at = this.int(TOTAL_SHARE)
		const kind = KINDS.find(({ share }) => (at -= share) < 0)
		return this.create(kind)
	}

	create({ collection, fill }) {
		const rkey = this.nextKey()
		const value = { $type: collection, ...fill(this), createdAt: this.now() }
		const keys = (this.made[collection] ??= [])
		keys.push(rkey)
		return { $type: 'com.atproto.repo.applyWrites#create', collection, rkey, value }
	}

	// One of each kind whose key is not a TID, at the start of a repository.
	profile(name) {
		const $type = 'pub.chive.actor.profile'
		return {
			$type: 'com.atproto.repo.applyWrites#create',
			collection: $type,
			rkey: 'self',
			value: { $type, displayName: name, bio: this.words(8, 30),
				fields: [this.pick(FIELDS)], createdAt: this.now() },
		}
	}
}

// How often each kind comes, out of the sum of all shares.
const KINDS = [
	{ share: 4, collection: 'pub.chive.eprint.submission', fill: submission },
	{ share: 12, collection: 'pub.chive.eprint.citation', fill: citation },
	{ share: 8, collection: 'pub.chive.eprint.userTag', fill: (m) => ({
		eprintUri: m.uriOf('pub.chive.eprint.submission'), tag: m.words(1, 2) }) },
	{ share: 8, collection: 'pub.chive.review.comment', fill: comment },
	{ share: 3, collection: 'pub.chive.review.endorsement', fill: (m) => ({
		eprintUri: m.uriOf('pub.chive.eprint.submission'),
		contributions: ['methodological', 'conceptual'].slice(m.int(2)) }) },
	{ share: 3, collection: 'pub.chive.graph.node', fill: node },
	{ share: 25, collection: 'app.bsky.feed.post', fill: post },
	{ share: 27, collection: 'app.bsky.feed.like', fill: (m) => ({
		subject: strongRef(m, 'app.bsky.feed.post') }) },
	{ share: 5, collection: 'app.bsky.feed.repost', fill: (m) => ({
		subject: strongRef(m, 'app.bsky.feed.post') }) },
	{ share: 5, collection: 'app.bsky.graph.follow', fill: (m) => ({
		subject: m.pick(m.others) }) },
]
const TOTAL_SHARE = KINDS.reduce((sum, { share }) => sum + share, 0)

function submission(m) {
	const text = m.words(80, 220)
	return {
		title: m.words(5, 14),
		abstract: [{ $type: 'pub.chive.eprint.submission#textItem', content: text }],
		abstractPlainText: text,
		document: m.blob,
		documentFormatSlug: 'pdf',
		submittedBy: m.did,
		authors: Array.from({ length: 1 + m.int(5) }, (_, i) => ({
			did: m.pick(m.others), name: m.words(2, 2), order: i + 1,
			isCorrespondingAuthor: i === 0, affiliations: [],
		})),
		keywords: Array.from({ length: m.int(6) }, () => m.words(1, 2)),
		licenseSlug: m.pick(LICENSES),
		version: 1 + m.int(3),
		previousVersion: null,
	}
}

function node(m) {
	return {
		id: `${hex(m, 8)}-${hex(m, 4)}-4${hex(m, 3)}-8${hex(m, 3)}-${hex(m, 12)}`,
		kind: m.pick(['type', 'object']),
		label: m.words(1, 4),
		alternateLabels: Array.from({ length: m.int(3) }, () => m.words(1, 3)),
		description: m.words(10, 40),
		metadata: { weight: m.int(2_000_000_000) - 1_000_000_000,
			digest: { $bytes: bytes(m, 24) } },
		status: m.pick(['proposed', 'provisional', 'established']),
	}
}

function citation(m) {
	return {
		eprintUri: m.uriOf('pub.chive.eprint.submission'),
		citedWork: {
			title: m.words(4, 12),
			doi: `10.${1000 + m.int(9000)}/${m.int(1e9).toString(36)}`,
			authors: Array.from({ length: 1 + m.int(3) }, () => m.words(2, 2)),
			year: 1950 + m.int(75),
			venue: m.words(2, 5),
		},
		citationType: m.pick(CITED),
		context: m.words(0, 25),
	}
}

function comment(m) {
	return {
		eprintUri: m.uriOf('pub.chive.eprint.submission'),
		body: [
			{ $type: 'pub.chive.review.comment#text', content: m.words(5, 60) },
			{ $type: 'pub.chive.review.comment#target', page: 1 + m.int(30),
				ranges: [[m.int(90), 90 + m.int(90)], []] },
		],
		motivation: m.pick(['commenting', 'questioning', 'highlighting']),
	}
}

function post(m) {
	const text = m.words(4, 24)	// the PDS allows 300 graphemes
	const record = { text, langs: ['en'] }
	if (m.int(4) === 0)
		record.reply = { root: strongRef(m, 'app.bsky.feed.post'),
			parent: strongRef(m, 'app.bsky.feed.post') }
	if (m.int(5) === 0)
		record.facets = [{
			index: { byteStart: 0, byteEnd: Buffer.byteLength(text) },
			features: [{ $type: 'app.bsky.richtext.facet#link',
				uri: `https://example.com/${m.int(1e6)}` }],
		}]
	return record
}

// Points at a record by a CID that is well formed; nothing has to have it.
function strongRef(m, collection) {
	return { uri: m.uriOf(collection), cid: m.blob.ref.$link }
}

function hex(m, length) {
	return Array.from({ length }, () => m.int(16).toString(16)).join('')
}

function bytes(m, length) {
	return Buffer.from(Array.from({ length }, () => m.int(256)))
		.toString('base64').replace(/=+$/, '')
}
