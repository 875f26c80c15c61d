// A small XRPC client: what the seeding and the migration need of one.

export class XrpcError extends Error {
	constructor(nsid, status, body) {
		super(`${nsid}: ${status} ${body.error ?? ''} ${body.message ?? ''}`)
		this.status = status
		this.code = body.error
	}
}

async function answerOf(nsid, response) {
	const isJson = response.headers.get('content-type')?.includes('json')
	const body = isJson ? await response.json() : await response.arrayBuffer()
	if (!response.ok)
		throw new XrpcError(nsid, response.status, isJson ? body : {})
	return body
}

export class Client {
	constructor(url, token) {
		this.url = url
		this.token = token
	}

	headers(more) {
		return this.token ? { ...more, authorization: `Bearer ${this.token}` } : more
	}

	async get(nsid, params = {}) {
		const query = new URLSearchParams(params)
		const response = await fetch(`${this.url}/xrpc/${nsid}?${query}`,
			{ headers: this.headers({}) })
		return answerOf(nsid, response)
	}

	// `input` is an object, sent as JSON, or bytes with their `type`.
	async post(nsid, input, type = 'application/json') {
		const isBytes = input instanceof ArrayBuffer || input instanceof Uint8Array
		const response = await fetch(`${this.url}/xrpc/${nsid}`, {
			method: 'POST',
			headers: this.headers(input === undefined ? {} : { 'content-type': type }),
			body: isBytes || input === undefined ? input : JSON.stringify(input),
		})
		return answerOf(nsid, response)
	}
}

export async function login(url, identifier, password) {
	const session = await new Client(url).post('com.atproto.server.createSession',
		{ identifier, password })
	return new Client(url, session.accessJwt)
}
