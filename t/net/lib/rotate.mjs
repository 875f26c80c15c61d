// Gives an account another signing key, as the operator of its PDS does: the old one
// is good for nothing any more, and the newest commit is signed by the new one.

import { writeFile } from 'node:fs/promises'

import { Secp256k1Keypair } from '@atproto/crypto'

export async function rotate({ plc, pds, did }) {
	const { actorStore, sequencer } = pds.server.ctx
	const key = await Secp256k1Keypair.create({ exportable: true })
	const { keyLocation } = await actorStore.getLocation(did)

	await writeFile(keyLocation, await key.export())
	await plc.update(did, pds.rotationKey, (data) => ({ ...data,
		verificationMethods: { ...data.verificationMethods, atproto: key.did() } }))
	const commit = await actorStore.transact(did, async ({ repo }) => {
		await repo.processWrites([])
		return repo.getSyncEventData()
	})
	await sequencer.sequenceIdentityEvt(did)
	await sequencer.sequenceSyncEvt(did, commit)
}
