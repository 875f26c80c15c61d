// A private AT network on loopback: one PLC directory and some PDSs.
// See README.md for the options, the ready line and the control requests.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync }
	from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

process.env.LOG_ENABLED ??= 'false'	// read by the servers when they are loaded
const { startPlc } = await import('./lib/plc.mjs')
const { rotate } = await import('./lib/rotate.mjs')
const { startPds } = await import('./lib/pds.mjs')
const { migrate } = await import('./lib/migrate.mjs')

const { values: options } = parseArgs({
	options: {
		pds: { type: 'string', default: '1' },
		state: { type: 'string' },
		'rate-limits': { type: 'boolean', default: false },
	},
})

// What has to stay the same for the data of a state directory to stay usable.
function newNetwork(pdsCount) {
	return {
		adminPassword: randomBytes(12).toString('hex'),
		jwtSecret: randomBytes(16).toString('hex'),
		rotationKey: randomBytes(32).toString('hex'),
		plcPort: 0,
		pdsPorts: Array(pdsCount).fill(0),
	}
}

class Network {
	constructor({ directory, isTemporary, pdsCount, rateLimits }) {
		this.directory = directory
		this.isTemporary = isTemporary
		this.rateLimits = rateLimits
		this.file = join(directory, 'network.json')
		this.saved = existsSync(this.file)
			? JSON.parse(readFileSync(this.file, 'utf8')) : newNetwork(pdsCount)
		this.pds = []
	}

	async start() {
		mkdirSync(this.directory, { recursive: true })
		this.plc = await startPlc({
			logPath: this.isTemporary ? undefined : join(this.directory, 'plc.jsonl'),
			wantedPort: this.saved.plcPort,
		})
		this.saved.plcPort = this.plc.port
		for (const index of this.saved.pdsPorts.keys())
			await this.startPds(index)
		this.control = createServer((req, res) => this.onRequest(req, res))
		await new Promise((done) => this.control.listen(0, '127.0.0.1', done))
		this.save()
	}

	save() {
		writeFileSync(this.file, JSON.stringify(this.saved, null, '\t') + '\n',
			{ mode: 0o600 })
	}

	async startPds(index) {
		const before = this.saved.pdsPorts[index]
		const pds = await startPds({
			directory: join(this.directory, `pds${index}`),
			wantedPort: before,
			plcUrl: this.plc.url,
			secrets: this.saved,
			rateLimits: this.rateLimits,
		})
		this.pds[index] = pds
		if (before !== 0 && before !== pds.port)
			await this.plc.moveEndpoint(`http://localhost:${before}`, pds.url,
				pds.rotationKey)
		this.saved.pdsPorts[index] = pds.port
	}

	async stopPds(index) {
		await this.pds[index]?.stop()
		this.pds[index] = undefined
	}

	describe() {
		return {
			plc: this.plc.url,
			pds: this.pds.map((pds) => pds?.url ?? null),
			control: `http://127.0.0.1:${this.control.address().port}`,
			adminPassword: this.saved.adminPassword,
			directory: this.directory,
			pid: process.pid,
		}
	}

	pdsOf(did) {
		return this.plc.db.lastOpForDid(did).then((op) =>
			this.pds.find((pds) => pds?.url === op?.services?.atproto_pds?.endpoint))
	}

	// What POST /<name> with a JSON body does; the answer is describe().
	verbs = {
		migrate: async ({ did, password, to }) => migrate({
			plc: this.plc, from: await this.pdsOf(did), to: this.pds[to],
			did, password,
		}),
		rotate: async ({ did }) => rotate({ plc: this.plc, pds: await this.pdsOf(did), did }),
		tombstone: ({ did }) => this.plc.tombstone(did, this.pds[0].rotationKey),
		'stop-pds': ({ index }) => this.stopPds(index),
		'start-pds': ({ index }) => this.startPds(index),
	}

	async onRequest(req, res) {
		const verb = this.verbs[req.url.slice(1)]
		try {
			if (req.method !== 'POST' || !verb)
				throw new Error(`no such control request: ${req.method} ${req.url}`)
			const chunks = []
			for await (const chunk of req)
				chunks.push(chunk)
			await verb(JSON.parse(Buffer.concat(chunks).toString() || '{}'))
			res.end(JSON.stringify(this.describe()))
		} catch (err) {
			res.statusCode = 500
			res.end(JSON.stringify({ error: String(err.stack) }))
		}
	}

	async stop() {
		try {
			this.control?.close()
			for (const pds of this.pds)
				await pds?.stop()
			await this.plc?.stop()
		} finally {
			if (this.isTemporary)
				rmSync(this.directory, { recursive: true, force: true })
		}
	}
}

const network = new Network({
	directory: options.state ?? mkdtempSync(join(tmpdir(), 'backfilld-net-')),
	isTemporary: options.state === undefined,
	pdsCount: Number(options.pds),
	rateLimits: options['rate-limits'],
})

let stopping
function stop(code) {
	stopping ??= network.stop().then(() => process.exit(code), (err) => {
		console.error(err)
		process.exit(1)
	})
}
process.on('SIGTERM', () => stop(0))
process.on('SIGINT', () => stop(0))
process.stdin.on('end', () => stop(0)).resume()	// whoever started us is gone

try {
	await network.start()
	console.log(JSON.stringify(network.describe()))
} catch (err) {
	console.error(err)
	stop(1)
}
