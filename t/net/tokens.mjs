// Accounts whose keys the test has, and service-auth tokens as the reference makes and
// reads them.  One JSON request a line on standard input, one answer a line:
//
//	{do: 'account', curve: 'k256' | 'p256'}		{did}
//	{do: 'rotate', did}				{}	another signing key
//	{do: 'mint', did, aud, lxm, exp?, iat?}		{token}	signed with the first key,
//		or the current one; stale: true: the one before
//	{do: 'read', token, own, lxm}			{payload} | {error}

import { createInterface } from 'node:readline'
import { P256Keypair, Secp256k1Keypair, randomBytes } from '@atproto/crypto'
import { createServiceJwt, verifyJwt } from '@atproto/xrpc-server'
import plc from '@did-plc/lib'

const [plcUrl] = process.argv.slice(2)
const client = new plc.Client(plcUrl)
const rotation = await Secp256k1Keypair.create()
const accounts = new Map()

function newKey(curve) {
	return (curve === 'p256' ? P256Keypair : Secp256k1Keypair).create()
}

const verbs = {
	async account({ curve = 'k256' }) {
		const key = await newKey(curve)
		const handle = `t${Buffer.from(randomBytes(4)).toString('hex')}.test`
		const did = await client.createDid({ signingKey: key.did(), handle,
			pds: 'https://pds.test', rotationKeys: [rotation.did()], signer: rotation })
		accounts.set(did, { key, curve })
		return { did }
	},

	async rotate({ did }) {
		const account = accounts.get(did)
		account.before = account.key
		account.key = await newKey(account.curve)
		await client.updateAtprotoKey(did, rotation, account.key.did())
		return {}
	},

	async mint({ did, iss = did, stale, ...claims }) {
		const account = accounts.get(did)
		const keypair = stale ? account.before : account.key
		return { token: await createServiceJwt({ iss, keypair, ...claims }) }
	},

	async read({ token, own, lxm }) {
		try {
			return { payload: await verifyJwt(token, own, lxm,
				async (did) => client.getDocumentData(did)
					.then((data) => data.verificationMethods.atproto)) }
		} catch (err) {
			return { error: err.customErrorName ?? String(err) }
		}
	},
}

for await (const line of createInterface({ input: process.stdin })) {
	const { do: verb, ...args } = JSON.parse(line)
	process.stdout.write(JSON.stringify(await verbs[verb](args)) + '\n')
}
