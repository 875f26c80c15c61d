// One real Personal Data Server in this process.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import pdsModule from '@atproto/pds'

import { holdPort, urlOf } from './port.mjs'

const { PDS, envToCfg, envToSecrets } = pdsModule

// Starts a PDS that keeps everything under `directory`.  `secrets` are those of
// the network: {adminPassword, jwtSecret, rotationKey}.
export async function startPds({ directory, wantedPort, plcUrl, secrets, rateLimits }) {
	const blobs = join(directory, 'blobs')
	mkdirSync(blobs, { recursive: true })

	const held = await holdPort(wantedPort)
	const env = {
		devMode: true,
		port: held.port,
		hostname: 'localhost',
		serviceDid: `did:web:localhost%3A${held.port}`,
		serviceHandleDomains: ['.test'],
		dataDirectory: directory,
		blobstoreDiskLocation: blobs,
		blobstoreDiskTmpLocation: join(directory, 'blobs.tmp'),
		didPlcUrl: plcUrl,
		inviteRequired: false,
		disableSsrfProtection: true,
		rateLimitsEnabled: rateLimits,
		bskyAppViewUrl: 'http://localhost:1',	// nobody: never asked
		bskyAppViewDid: 'did:web:localhost%3A1',
		adminPassword: secrets.adminPassword,
		jwtSecret: secrets.jwtSecret,
		plcRotationKeyK256PrivateKeyHex: secrets.rotationKey,
	}
	const cfg = envToCfg(env)
	cfg.service.port = held.listener	// its listen() takes the held socket over
	const server = await PDS.create(cfg, envToSecrets(env))
	await server.start()
	return new Pds(server, held.port)
}

class Pds {
	constructor(server, port) {
		this.server = server
		this.port = port
		this.url = urlOf(port)
	}

	get did() {
		return this.server.ctx.cfg.service.did
	}

	// Signs operations of the directory for every account of the network.
	get rotationKey() {
		return this.server.ctx.plcRotationKey
	}

	stop() {
		return this.server.destroy()
	}
}
