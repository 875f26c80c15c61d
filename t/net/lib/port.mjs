// Listening sockets on 127.0.0.1 that are bound before a server is made, so
// that its port is known without a race.

import { createServer } from 'node:net'

function listen(port) {
	return new Promise((resolve, reject) => {
		const listener = createServer()
		listener.once('error', reject)
		listener.listen({ host: '127.0.0.1', port }, () => resolve(listener))
	})
}

// Binds `wanted` if it is free, any free port otherwise.  An HTTP server takes
// the socket over by listen(listener), which Node.js documents as "handle".
export async function holdPort(wanted = 0) {
	const listener = await listen(wanted).catch((err) => {
		if (err.code !== 'EADDRINUSE')
			throw err
		return listen(0)
	})
	return { listener, port: listener.address().port }
}

export function urlOf(port) {
	return `http://localhost:${port}`
}
