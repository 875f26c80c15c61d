// Moves an account from one PDS to another the way a user's tool does it, but
// for the mailed token: the network holds the rotation key.

import { Client, login } from './xrpc.mjs'

export async function migrate({ plc, from, to, did, password }) {
	const old = await login(from.url, did, password)
	const { handle } = await old.get('com.atproto.server.getSession')
	const { token } = await old.get('com.atproto.server.getServiceAuth',
		{ aud: to.did, lxm: 'com.atproto.server.createAccount' })
	const created = await new Client(to.url, token).post(
		'com.atproto.server.createAccount',
		{ did, handle, password, email: `${did.slice(8)}@example.com` })
	const fresh = new Client(to.url, created.accessJwt)

	const car = await old.get('com.atproto.sync.getRepo', { did })
	await fresh.post('com.atproto.repo.importRepo', car, 'application/vnd.ipld.car')
	await copyBlobs(old, fresh, did)

	const wanted = await fresh.get('com.atproto.identity.getRecommendedDidCredentials')
	await plc.update(did, from.rotationKey, (data) => ({ ...data, ...wanted }))
	await fresh.post('com.atproto.server.activateAccount')
	await old.post('com.atproto.server.deactivateAccount', {})
}

async function copyBlobs(old, fresh, did) {
	const { cids } = await old.get('com.atproto.sync.listBlobs', { did })
	for (const cid of cids)
		await fresh.post('com.atproto.repo.uploadBlob',
			await old.get('com.atproto.sync.getBlob', { did, cid }), 'application/pdf')
}
