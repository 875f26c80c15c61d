// The reference implementation's view of a repository, for comparison with ours:
//
//	node reference.mjs list FILE.car		path, CID and JSON of each record
//	node reference.mjs make FILE.car RECORDS	a repository that it made; prints
//							{"did": ..., "key": "did:key:..."}
//	node reference.mjs time FILE.car DID KEY [RUNS]	prints the best time of verifying
//							it, in milliseconds
import { readFileSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

import { Secp256k1Keypair } from '@atproto/crypto'
import { parseCid } from '@atproto/lex-data'
import { lexToJson } from '@atproto/lex-json'
import repoPackage from '@atproto/repo'

const {
	blocksToCarFile, MemoryBlockstore, readCarWithRoot, Repo,
	verifyRepoCar, WriteOpAction,
} = repoPackage

const DID = 'did:plc:bench234567abcdefghijklm'
const LINK = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
const COLLECTIONS = [
	'app.bsky.feed.like', 'app.bsky.feed.post', 'com.example.deep', 'pub.chive.eprint',
]

async function list(path) {
	const { root, blocks } = await readCarWithRoot(readFileSync(path))
	const repo = await Repo.load(new MemoryBlockstore(blocks), root)
	const lines = []

	for await (const { collection, rkey, cid, record } of repo.walkRecords())
		lines.push(`${collection}/${rkey}\t${cid}\t${JSON.stringify(lexToJson(record))}\n`)
	process.stdout.write(lines.join(''))
}

// Each kind of value somewhere, names of each length, keys of many shapes.
function record(collection, i) {
	return {
		$type: collection,
		text: `${'\u00e9\u{1f600}"\\\n\u0000\u007f'.repeat(i % 4)} number ${i}`,
		n: i % 2 ? -i : i * 2 ** 31,
		limits: [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0, -1, 23, 24, 255, 256],
		flags: [true, false, null, [], {}],
		bytes: new Uint8Array(i % 70).fill(i),
		link: parseCid(LINK),
		deep: { a: { bb: { ccc: [{ d: i }] } }, aa: 1, b: 2, '': 3 },
		['name'.repeat(1 + (i % 9))]: i,
	}
}

async function make(path, count) {
	const keypair = await Secp256k1Keypair.create()
	const writes = []

	for (let i = 0; i < count; i++) {
		const collection = COLLECTIONS[i % COLLECTIONS.length]
		const rkey = i % 3 ? `3k${String(i * 7919).padStart(11, '2')}` : `key.${i}_~:-`
		writes.push({ action: WriteOpAction.Create, collection, rkey,
			record: record(collection, i) })
	}
	const storage = new MemoryBlockstore()
	const repo = await Repo.create(storage, DID, keypair, writes)
	writeFileSync(path, await blocksToCarFile(repo.cid, storage.blocks))
	console.log(JSON.stringify({ did: DID, key: keypair.did() }))
}

async function time(path, did, key, runs = 3) {
	const bytes = readFileSync(path)
	let best = Infinity

	for (let i = 0; i < runs; i++) {
		const start = performance.now()
		await verifyRepoCar(bytes, did, key)
		best = Math.min(best, performance.now() - start)
	}
	console.log(best.toFixed(1))
}

const [verb, ...args] = process.argv.slice(2)
const verbs = { list, make, time }

if (!verbs[verb]) {
	console.error('usage: reference.mjs list|make|time FILE.car ...')
	process.exit(2)
}
await verbs[verb](...args)
