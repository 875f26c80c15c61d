// TLS with HTTP/2, and HTTP/1.1 for those who want it, in front of a server on
// 127.0.0.1: what a PDS on the public network has before it.  t/lib/Backfilld/H2Front.pm
// starts it.
//
//	node h2-front.mjs PORT KEY CERTIFICATE LEDGER
//
// Prints its port and ends with its standard input, whose lines say what it does from
// then on: "goaway N" says good-bye on a connection after each N requests, "reset CODE N"
// ends each Nth stream with that code of RFC 9113, 7, instead of answering, "calm" does
// neither.  The ledger gets a line per event: "open", "h2 NAME", "http/1.1 NAME",
// "goaway", "reset NAME".

import { appendFileSync, readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import { createInterface } from 'node:readline'

const [port, key, cert, ledger] = process.argv.slice(2)
let does = ['calm']
let count = 0

const enter = (line) => appendFileSync(ledger, line + '\n')

const server = http2.createSecureServer({
  key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true,
})

server.on('secureConnection', () => enter('open'))

function passOn(request, response) {
  const behind = http.request({
    host: '127.0.0.1', port, path: request.url, method: request.method,
    headers: { host: request.headers.host ?? request.authority },
  }, (answer) => {
    const headers = { ...answer.headers }
    for (const name of ['connection', 'keep-alive', 'transfer-encoding']) delete headers[name]
    response.writeHead(answer.statusCode, headers)
    answer.pipe(response)
  })
  behind.on('error', () => response.destroy())
  request.pipe(behind)
}

server.on('request', (request, response) => {
  const name = request.url.replace(/\?.*/, '').replace(/.*[./]/, '')
  const isH2 = request.httpVersion.startsWith('2')
  enter((isH2 ? 'h2 ' : 'http/1.1 ') + name)
  if (!isH2) return passOn(request, response)
  count++
  if (does[0] === 'reset' && count % does[2] === 0) {
    enter('reset ' + name)
    request.stream.close(Number(does[1]))
    return
  }
  passOn(request, response)
  if (does[0] === 'goaway' && count % does[1] === 0) {
    enter('goaway')
    request.stream.session.close()
  }
})

server.listen(0, '127.0.0.1', () => console.log(server.address().port))
createInterface({ input: process.stdin })
  .on('line', (line) => { does = line.split(' '); count = 0; enter('now ' + line) })
  .on('close', () => process.exit(0))
