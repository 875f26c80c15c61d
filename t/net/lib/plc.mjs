// The PLC directory, with its operation log kept in a file so that a network
// that was seeded once can be started again.

import { appendFileSync, existsSync, readFileSync } from 'node:fs'

import didPlc from '@did-plc/lib'
import plcServer from '@did-plc/server'

import { holdPort, urlOf } from './port.mjs'

// The in-memory database of the reference implementation plus a log of one
// JSON object a line: {did, operation}.  Without a path nothing is kept.
class LoggedDatabase extends plcServer.MockDatabase {
	constructor(path) {
		super()
		this.path = path
	}

	async replay() {
		if (!this.path || !existsSync(this.path))
			return
		for (const line of readFileSync(this.path, 'utf8').split('\n')) {
			if (line === '')
				continue
			const { did, operation } = JSON.parse(line)
			await super.validateAndAddOp(did, operation)
		}
	}

	async validateAndAddOp(did, operation) {
		await super.validateAndAddOp(did, operation)
		if (this.path)
			appendFileSync(this.path, JSON.stringify({ did, operation }) + '\n')
	}

	dids() {
		return Object.keys(this.contents)
	}
}

// Starts the directory.  logPath may be undefined; wantedPort is a wish.
export async function startPlc({ logPath, wantedPort }) {
	const db = new LoggedDatabase(logPath)
	await db.replay()
	const held = await holdPort(wantedPort)
	const server = plcServer.PlcServer.create({ db, port: held.listener })
	await server.start()
	return new Plc(server, db, held.port)
}

class Plc {
	constructor(server, db, port) {
		this.server = server
		this.db = db
		this.port = port
		this.url = urlOf(port)
	}

	// Appends an operation to the log of a DID: `change` gets the current
	// document data and returns the new one.
	async update(did, signer, change) {
		const last = await this.db.lastOpForDid(did)
		if (!last)
			throw new Error(`${did} is not registered`)
		await this.db.validateAndAddOp(did,
			await didPlc.createUpdateOp(last, signer, change))
	}

	async tombstone(did, signer) {
		const ops = await this.db.indexedOpsForDid(did)
		await this.db.validateAndAddOp(did,
			await didPlc.tombstoneOp(ops.at(-1).cid, signer))
	}

	// A PDS came back on another port: point its accounts there.
	async moveEndpoint(from, to, signer) {
		for (const did of this.db.dids()) {
			const last = await this.db.lastOpForDid(did)
			if (last.services?.atproto_pds?.endpoint === from)
				await this.db.validateAndAddOp(did,
					await didPlc.updatePdsOp(last, signer, to))
		}
	}

	stop() {
		return this.server.destroy()
	}
}
