import { once } from 'node:events'
import http from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask } from '../support/raw-http.ts'
import { ScriptedSource } from '../support/scripted-source.ts'

const SIZE = 100_000
const whole = Buffer.from(Array.from({ length: SIZE }, (_, i) => i % 251))
const half = SIZE / 2

let server: PublicServer
let source: ScriptedSource
let url: string

beforeEach(async () => {
  server = await startPublicServer()
  source = new ScriptedSource()
  url = `${server.url}/hls/lobby/video/7-x.m4s`
  fetchable(source)
})
afterEach(() => server.close())

function fetchable(from: ScriptedSource): void {
  const plan = { size: SIZE, hold: 'listed', source: from.open, restarts: 0 } as const
  server.lobby.upstream.set('lobby/video/7-x', plan)
}

/** Sends a request, and waits for its head. */
async function begin(headers: Record<string, string> = {}): Promise<http.IncomingMessage> {
  const request = http.get(url, { agent: false, headers })
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  // Cut bodies are what some of these tests are about; they look at `complete`.
  response.on('error', () => {})
  return response
}

test('G8: a herd of 200 shares one fetch, and each gets the whole', async () => {
  const answers = Array.from({ length: 200 }, () => ask(url))
  await expect.poll(() => server.counters.coalescedRequests.total()).toBe(199)
  source.push(whole.subarray(0, half))
  source.push(whole.subarray(half))
  source.end()

  for (const { status, body } of await Promise.all(answers)) {
    expect(status).toBe(200)
    expect(body.equals(whole)).toBe(true)
  }
  expect(source.opened).toEqual([0])
  expect(server.counters.cacheMisses.total()).toBe(1)
  expect(server.counters.downstreamBytes.total({ class: 'segment' })).toBe(200 * SIZE)
})

test('G8: the first bytes come before the last are there', async () => {
  const waiting = begin()
  await expect.poll(() => source.opened).toEqual([0])
  source.push(whole.subarray(0, half))
  const response = await waiting
  expect(response.headers).toMatchObject({
    'content-length': String(SIZE),
    'cache-status': 'kvs-hls-gateway; fwd=uri-miss; stored',
  })
  const [first] = (await once(response, 'data')) as [Buffer]
  expect(whole.subarray(0, first.length).equals(first)).toBe(true)

  let rest = first.length
  response.on('data', (chunk: Buffer) => (rest += chunk.length))
  source.push(whole.subarray(half))
  source.end()
  await once(response, 'end')
  expect(rest).toBe(SIZE)
})

test('G8: who joins is told so, and may ask for a part that has not arrived yet', async () => {
  const first = begin()
  await expect.poll(() => source.opened).toEqual([0])
  const range = `bytes=${half + 10}-${half + 19}`
  const joined = ask(url, { headers: { range } })
  await expect.poll(() => server.counters.coalescedRequests.total()).toBe(1)
  source.push(whole)
  source.end()

  const { status, headers, body } = await joined
  expect(status).toBe(206)
  expect(headers['cache-status']).toBe('kvs-hls-gateway; fwd=uri-miss; collapsed')
  expect(body).toEqual(whole.subarray(half + 10, half + 20))
  ;(await first).resume()
})

test('G8: a waiter that leaves does not cancel it for the rest', async () => {
  const leaving = http.get(url, { agent: false }).on('error', () => {})
  const staying = ask(url)
  await expect.poll(() => server.counters.coalescedRequests.total()).toBe(1)
  leaving.destroy()
  source.push(whole)
  source.end()
  expect((await staying).body.equals(whole)).toBe(true)
  expect(source.cancelled).toBe(false)
})

test('G8: when the last waiter leaves the fetch is cancelled, and the next one starts anew', async () => {
  const leaving = http.get(url, { agent: false }).on('error', () => {})
  await expect.poll(() => source.opened).toEqual([0])
  leaving.destroy()
  await expect.poll(() => source.cancelled).toBe(true)
  expect(server.store.stats().bytes).toBe(0)

  const next = new ScriptedSource()
  fetchable(next)
  const answer = ask(url)
  next.push(whole)
  next.end()
  expect((await answer).body.equals(whole)).toBe(true)
})

test('G12: a fetch that fails half way breaks the connection; it never looks like an end', async () => {
  const waiting = begin()
  source.push(whole.subarray(0, half))
  const response = await waiting
  response.resume()
  source.fail(new Error('upstream reset'))
  await new Promise((resolve) => response.once('close', resolve))
  expect(response.complete).toBe(false)
  expect((await ask(`${server.url}/healthz`)).status).toBe(200)
})

test('a fetch that fails before its first byte is an honest error', async () => {
  const answer = ask(url)
  source.fail(new Error('upstream reset'))
  expect((await answer).status).toBe(502)
})

test('HEAD and If-None-Match do not wait for bytes', async () => {
  const head = await ask(url, { method: 'HEAD' })
  expect([head.status, head.headers['content-length']]).toEqual([200, String(SIZE)])
  const known = await ask(url, { headers: { 'if-none-match': '"x"' } })
  expect(known.status).toBe(304)
})
