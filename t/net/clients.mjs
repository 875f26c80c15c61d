// The API as real clients of the AT Protocol meet it: every method called through
// @atproto/xrpc and @atproto/api with our lexicons loaded, inputs and outputs checked by
// @atproto/lexicon.  Prints a JSON line for each: {client, method, ok | error, message}.
//
//	node clients.mjs API_URL PASSWORD LEXICON_DIR DID

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AtpAgent } from '@atproto/api'
import { Lexicons } from '@atproto/lexicon'
import { XrpcClient } from '@atproto/xrpc'

const [url, password, directory, did] = process.argv.slice(2)
const docs = readdirSync(directory).filter((name) => name.endsWith('.json'))
	.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')))
const lexicons = new Lexicons(docs)
const headers = { authorization: 'Basic '
	+ Buffer.from(`admin:${password}`).toString('base64') }
const agent = new AtpAgent({ service: url })
for (const doc of docs)
	agent.lex.add(doc)

const clients = {
	'@atproto/xrpc': (nsid, params, input) => new XrpcClient(url, lexicons)
		.call(nsid, params, input, { headers, encoding: input && 'application/json' }),
	'@atproto/api': (nsid, params, input) => agent
		.call(nsid, params, input, { headers, encoding: input && 'application/json' }),
}

// What each method is called with; a did-sync of the test's ends when it is cancelled.
const inputs = {
	triggerBackfill: { type: 'didSync', did },
	triggerDIDSync: { did },
	triggerPDSScan: { pdsUrl: 'https://pds.test' },
	triggerFreshnessScan: {},
	triggerGovernanceSync: {},
	triggerCitationExtraction: { uri: `at://${did}/pub.chive.eprint.submission/3kabc` },
	triggerFullReindex: { batchSize: 500 },
}

async function attempt(client, nsid, params, input) {
	const method = nsid.split('.').pop()
	let report
	try {
		const { data } = await clients[client](nsid, params, input)
		lexicons.assertValidXrpcOutput(nsid, data)
		report = { ok: true, data }
	} catch (err) {
		report = { error: err.error ?? err.name, status: err.status,
			message: err.message }
	}
	console.log(JSON.stringify({ client, method, ...report }))
	return report.data
}

for (const client of Object.keys(clients)) {
	const call = (method, params, input) =>
		attempt(client, `pub.chive.admin.${method}`, params, input)

	for (const [method, input] of Object.entries(inputs)) {
		const data = await call(method, {}, input)
		const id = data?.operationId ?? data?.operation?.id
		if (id) {
			await call('getBackfillStatus', { id })
			await call('cancelBackfill', {}, { id })
			await call('getBackfillStatus', { id })
		}
	}
	await call('getBackfillStatus', {})
	await call('getBackfillStatus', { status: 'cancelled' })
	await call('getBackfillHistory', {})
	await call('searchRecords', { q: 'anything' })
	// What the clients or the server have to refuse.
	await call('triggerDIDSync', {}, { did: 'nobody' })
	await call('triggerBackfill', {}, { type: 'nonsense' })
	await call('cancelBackfill', {}, { id: '3kaaaaaaaaa2a' })
	await call('getBackfillStatus', { id: '3kaaaaaaaaa2a' })
}
