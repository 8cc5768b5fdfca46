import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { connections, type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, rawConnection, sendRaw } from '../support/raw-http.ts'

let server: PublicServer
afterEach(() => server.close())

const SOON = { timeout: 60_000, interval: 20 }

const PATH = '/hls/lobby/video.m3u8'
const HIDDEN = 'GET /hls/lobby/audio.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`

/** How many answers are in what came back. */
const answers = (text: string): number => text.split(/^HTTP\/1\.1 /m).length - 1

/** Lines of a head behind the request line, and what follows the head: where two readers may see two requests. */
const FRAMINGS: readonly (readonly [string, string, string])[] = [
  ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked', chunk(HIDDEN)],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4', chunk(HIDDEN)],
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${HIDDEN.length}`, HIDDEN],
  ['a list of lengths', `Content-Length: 0, ${HIDDEN.length}`, HIDDEN],
  ['a signed length', `Content-Length: +${HIDDEN.length}`, HIDDEN],
  ['a negative length', 'Content-Length: -1', HIDDEN],
  ['a hexadecimal length', 'Content-Length: 0x0', HIDDEN],
  ['an endless length', `Content-Length: ${'9'.repeat(30)}`, HIDDEN],
  ['a length with a blank inside', 'Content-Length: 1 0', HIDDEN],
  ['a blank before the colon', 'Content-Length : 0', HIDDEN],
  ['a folded line', 'X-A: b\r\n Content-Length: 0', HIDDEN],
  ['a folded coding', 'Transfer-Encoding:\r\n chunked', chunk(HIDDEN)],
  ['an unknown coding', 'Transfer-Encoding: xchunked', chunk(HIDDEN)],
  ['chunked, then another', 'Transfer-Encoding: chunked, identity', chunk(HIDDEN)],
  ['a coding behind a vertical tab', 'Transfer-Encoding: \vchunked', chunk(HIDDEN)],
  ['a quoted coding', 'Transfer-Encoding: "chunked"', chunk(HIDDEN)],
  ['a chunk size that overflows', 'Transfer-Encoding: chunked', `${'f'.repeat(20)}\r\n${HIDDEN}`],
  ['a chunk size with a sign', 'Transfer-Encoding: chunked', `+0\r\n\r\n${HIDDEN}`],
  ['a chunk that ends in a bare LF', 'Transfer-Encoding: chunked', `0\n\n${HIDDEN}`],
  ['a chunk longer than it says', 'Transfer-Encoding: chunked', `1\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
  ['chunk extensions without end', 'Transfer-Encoding: chunked', `1;${'a'.repeat(20_000)}`],
  ['a NUL in a field', 'X-A: b\0c', HIDDEN],
  ['a lone CR in a field', 'X-A: b\rContent-Length: 0', HIDDEN],
  ['a field without a name', ': b', HIDDEN],
]

test.each(FRAMINGS)('%s: one answer at most, and the connection ends', async (_, lines, rest) => {
  server = await startPublicServer()
  const text = `GET ${PATH} HTTP/1.1\r\nHost: x\r\n${lines}\r\nConnection: close\r\n\r\n${rest}`
  const answer = await sendRaw(server.port, text)
  expect(answers(answer)).toBeLessThanOrEqual(1)
  expect(answer).not.toContain('audio')
})

test.each(FRAMINGS)('%s: on a connection that is kept, too', async (_, lines, rest) => {
  server = await startPublicServer()
  const taken: unknown[] = []
  server.app.server.on('request', ({ url }) => void taken.push(url))
  const socket = await rawConnection(server.port)
  let answer = ''
  socket.resume().on('data', (bytes) => {
    answer += String(bytes)
  })
  const closed = once(socket, 'close')
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n${rest}`)
  await Promise.race([closed, expect.poll(() => answer, SOON).toContain('\r\n\r\n')])
  // All of it came in one write: what the server takes of it, it has taken before others are answered.
  for (let i = 0; i < 2; i += 1) await ask(`${server.url}/healthz`)
  expect(answers(answer)).toBeLessThanOrEqual(1)
  expect(taken.filter((url) => String(url).includes('audio'))).toEqual([])
  socket.destroy()
})

test('a body that nobody asked for is no request', async () => {
  server = await startPublicServer()
  const head = `GET ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${HIDDEN.length}\r\n\r\n`
  const last = 'GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const answer = await sendRaw(server.port, head + HIDDEN + last)
  expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404'])
})

test.each([
  ['a head of 18 KB', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(18_000)}\r\n\r\n`],
  ['a control character', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: \x01\r\n\r\n`],
  ['no Host', `GET ${PATH} HTTP/1.1\r\n\r\n`],
  ['an expectation', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nExpect: y\r\nConnection: close\r\n\r\n`],
  ['two hosts', `GET ${PATH} HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n`],
  ['another version', `GET ${PATH} HTTP/3.0\r\nHost: x\r\n\r\n`],
  ['an unknown method', `GRAB ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['another method', `POST ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
  ['a tunnel', 'CONNECT lobby:80 HTTP/1.1\r\nHost: x\r\n\r\n'],
])('G13: %s blinds nobody behind a cache', async (_, text) => {
  server = await startPublicServer()
  const answer = await sendRaw(server.port, text)
  expect(answer).not.toMatch(/^HTTP\/1\.1 [23]/)
  expect(answer).not.toMatch(/cache-control: public/i)
  expect(answer).toMatch(/^$|application\/problem\+json/)
})

test('a refusal does not overtake the answer that is owed, nor passes for it', async () => {
  server = await startPublicServer()
  server.registry.request = () => new Promise(() => {})
  const waits = 'GET /hls/yard/video.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n'
  expect(await sendRaw(server.port, `${waits}nonsense\r\n\r\n`)).toBe('')
})

test('who does not close after a refusal is closed', async () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  server = await startPublicServer({ clock })
  const socket = await rawConnection(server.port)
  socket.write('nonsense\r\n\r\n')
  await once(socket.resume(), 'end')
  // What else it has to say is not even refused.
  socket.write('more nonsense\r\n\r\n')
  // Half of the connection is still open: ours to write, the server's to wait for.
  expect(await connections(server)).toBe(1)
  await expect
    .poll(() => {
      clock.advance(1000)
      return connections(server)
    }, SOON)
    .toBe(0)
  socket.destroy()
})
