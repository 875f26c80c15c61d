// Fills the PDSs of a network with accounts and records, in bulk.
// See README.md; prints one JSON line for each account when it is done.

import { parseArgs } from 'node:util'

import { RecordMaker } from './lib/records.mjs'
import { Client } from './lib/xrpc.mjs'

const { values: options } = parseArgs({
	options: {
		pds: { type: 'string', multiple: true },
		accounts: { type: 'string', default: '20' },
		records: { type: 'string', default: '300' },
		large: { type: 'string', default: '0' },
		seed: { type: 'string', default: '1' },
		prefix: { type: 'string', default: 'author' },
	},
})
const seed = Number(options.seed)
const largeRecords = Number(options.large)
const WRITES_PER_CALL = 200		// what the PDS takes

// Says of itself that it is a PDF, and is long enough for the PDS's sniffing.
const DOCUMENT = Buffer.from('%PDF-1.4\n%' + ' '.repeat(8192) +
	'\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n')

function handleOf(index) {
	return index === 0 && largeRecords > 0 ? 'library.test'
		: `${options.prefix}-${String(index).padStart(2, '0')}.test`
}

// An equal number of records for every account would hide mistakes.
function recordsOf(index) {
	if (index === 0 && largeRecords > 0)
		return largeRecords
	return Math.max(1, Number(options.records) - index)
}

async function createAccount(index) {
	const url = options.pds[index % options.pds.length]
	const handle = handleOf(index)
	const password = `password-${seed}-${index}`
	const account = await new Client(url).post('com.atproto.server.createAccount',
		{ handle, password, email: `${handle.split('.')[0]}@example.com` })
	return { index, url, handle, password, did: account.did,
		client: new Client(url, account.accessJwt) }
}

async function createRecords(account, others) {
	const { client, did, index } = account
	const { blob } = await client.post('com.atproto.repo.uploadBlob', DOCUMENT,
		'application/pdf')
	const maker = new RecordMaker({ seed: seed * 1000 + index, did, others, blob })
	const count = recordsOf(index)
	let writes = [maker.profile(account.handle)]
	for (let made = 1; made <= count; made++) {
		if (writes.length === WRITES_PER_CALL || made === count) {
			await client.post('com.atproto.repo.applyWrites', { repo: did, writes })
			writes = []
			progress(made)
		}
		if (made < count)
			writes.push(maker.next())
	}
	const { handle, password, url } = account
	return { did, handle, password, pds: url, records: count }
}

// On a terminal: a line for the one who waits.
function progress(made) {
	if (process.stderr.isTTY)
		process.stderr.write(`\r    ${made} records `)
}

const accounts = []
for (let index = 0; index < Number(options.accounts); index++)
	accounts.push(await createAccount(index))
const others = accounts.map(({ did }) => did)
for (const account of accounts)
	console.log(JSON.stringify(await createRecords(account, others)))
