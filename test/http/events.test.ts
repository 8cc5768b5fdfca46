import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../../src/base/log.ts'
import { gatewayEvent } from '../../src/events/gateway-event.ts'
import { guardAdmin } from '../../src/http/admin-guard.ts'
import { newApp } from '../../src/http/new-app.ts'
import { eventsRoute } from '../../src/http/routes/events.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { type Block, type EventStream, listenTo } from '../support/event-stream.ts'
import { silentEvents } from '../support/events.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ask, rawConnection } from '../support/raw-http.ts'

const clock = new ManualClock()
let close: () => Promise<void> = () => Promise.resolve()
afterEach(() => close())

async function start(kept?: number, token?: string) {
  const events = silentEvents(clock, kept)
  const app = newApp({ log: silentLog, clock, requestId: () => 'test', drainMs: 0 })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  guardAdmin(app, { token, host: '127.0.0.1' }, new Counter(['code']))
  void app.register(eventsRoute, { events, clock })
  await app.listen({ port: 0, host: '127.0.0.1' })
  close = () => app.close()
  const { port } = app.server.address() as AddressInfo
  const happen = (count: number, version = '1'): void => {
    for (let i = 0; i < count; i += 1) events.emit('node.joined', { node: 'b', version }, 'b')
  }
  return { app, port, url: `http://127.0.0.1:${port}/events`, events, happen }
}

const idOf = async (stream: EventStream): Promise<string | undefined> =>
  (await stream.next())?.['id']

async function blocks(stream: EventStream, count: number): Promise<readonly (Block | undefined)[]> {
  const all: (Block | undefined)[] = []
  for (let i = 0; i < count; i += 1) all.push(await stream.next())
  return all
}

test('who listens hears what happens from then on, with its place from the start', async () => {
  const { url, happen } = await start()
  happen(2)
  const stream = await listenTo(url)
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  // No data: no event to a browser, but where it resumes.
  expect(await stream.next()).toEqual({ retry: '2000', id: 'l1-2' })
  happen(1)
  const block = await stream.next()
  expect(block).toMatchObject({ id: 'l1-3', event: 'node.joined' })
  expect(gatewayEvent.parse(JSON.parse(block?.['data'] ?? ''))).toMatchObject({
    id: 'l1-3',
    subject: 'b',
    data: { node: 'b', version: '1' },
  })
  stream.leave()
})

test('who comes again goes on behind what it has seen, whichever way it says so', async () => {
  const { url, happen } = await start()
  happen(70)
  const byField = await listenTo(`${url}?after=l1-1`, { 'last-event-id': 'l1-67' })
  const byQuery = await listenTo(`${url}?after=l1-67`)
  for (const stream of [byField, byQuery]) {
    expect(await stream.next()).toEqual({ retry: '2000' })
    expect((await blocks(stream, 3)).map((block) => block?.['id'])).toEqual([
      'l1-68',
      'l1-69',
      'l1-70',
    ])
    stream.leave()
  }
  const all = await listenTo(`${url}?after=l1-0`)
  await all.next()
  expect((await blocks(all, 70)).map((block) => block?.['id']).at(-1)).toBe('l1-70')
  happen(1)
  expect(await idOf(all)).toBe('l1-71')
  all.leave()
})

test.each([
  ['l1-1', { missed: 3 }],
  // Of an earlier life of the process.
  ['l0-1', { missed: null }],
])('what is missing after %s is told before all that is kept', async (after, gap) => {
  const { url, happen } = await start(5)
  happen(9)
  const stream = await listenTo(url, { 'last-event-id': after })
  await stream.next()
  expect(await stream.next()).toEqual({ event: 'gap', data: JSON.stringify(gap) })
  expect((await blocks(stream, 5)).map((block) => block?.['id'])).toEqual(
    [5, 6, 7, 8, 9].map((n) => `l1-${n}`),
  )
  happen(1)
  expect(await idOf(stream)).toBe('l1-10')
  stream.leave()
})

test('an unknown place before anything has happened is told once', async () => {
  const { url, happen } = await start()
  const stream = await listenTo(`${url}?after=nowhere`)
  await stream.next()
  expect(await stream.next()).toEqual({ event: 'gap', data: '{"missed":null}' })
  happen(1)
  expect(await stream.next()).toMatchObject({ id: 'l1-1', event: 'node.joined' })
  stream.leave()
})

test('a quiet connection is kept alive', async () => {
  const { url } = await start()
  const stream = await listenTo(url)
  await stream.next()
  let next: Block | undefined
  const comment = stream.next().then((block) => (next = block))
  await clock.runUntil(() => next !== undefined, { stepMs: 1_000 })
  expect(await comment).toEqual({ '': 'still here' })
  stream.leave()
})

test('who reads nothing holds up nobody, and is told what it has missed', async () => {
  const { url, port, happen } = await start(40)
  const slow = await rawConnection(port)
  slow.write('GET /events?after=l1-0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  const quick = await listenTo(url)
  await quick.next()
  // Far more than sockets and pipes take.
  const version = 'x'.repeat(64 * 1024)
  const rounds = 200
  let last: Block | undefined
  for (let round = 0; round < rounds; round += 1) {
    happen(1, version)
    last = await quick.next()
  }
  expect(last).toMatchObject({ id: `l1-${rounds}` })
  quick.leave()
  let [tail, gap] = ['', '']
  slow.setEncoding('latin1')
  slow.on('data', (chunk) => {
    const text = tail + String(chunk)
    gap = /event: gap\ndata: \{"missed":\d+\}/.exec(text)?.[0] ?? gap
    tail = text.slice(-200)
    if (text.includes(`id: l1-${rounds}\n`)) slow.destroy()
  })
  slow.resume()
  await once(slow, 'close')
  expect(gap).not.toBe('')
})

test('so many may listen, and one who leaves makes room', async () => {
  const { url } = await start()
  const all = await Promise.all(Array.from({ length: 64 }, () => listenTo(url)))
  const refused = await ask(url)
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toBe('10')
  all[0]?.leave()
  await expect
    .poll(async () => {
      const stream = await listenTo(url)
      stream.leave()
      return stream.status
    })
    .toBe(200)
  for (const stream of all) stream.leave()
})

test('closing the gateway ends the stream, so that a browser comes again', async () => {
  const { url } = await start()
  const stream = await listenTo(url)
  await stream.next()
  const ended = stream.next()
  await close()
  close = () => Promise.resolve()
  expect(await ended).toBeUndefined()
})

test('JSON has what happened lately, and where a stream goes on', async () => {
  const { url, happen, events } = await start(3)
  happen(5)
  const answer = await ask(url, { headers: { accept: 'application/json' } })
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  const { lastEventId, events: recent } = z
    .object({ events: z.array(gatewayEvent), lastEventId: z.string() })
    .parse(JSON.parse(answer.body.toString()))
  expect(recent).toEqual(events.recent())
  expect(lastEventId).toBe('l1-5')
})

test('only operators may listen', async () => {
  const { url } = await start(5, 's3cret')
  expect((await ask(url)).status).toBe(401)
  const stream = await listenTo(url, { authorization: 'Bearer s3cret' })
  expect(stream.status).toBe(200)
  stream.leave()
})

test('a place that cannot be one is refused, and HEAD ends', async () => {
  const { url } = await start()
  expect((await ask(`${url}?after=${'x'.repeat(65)}`)).status).toBe(400)
  expect(await ask(url, { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.alloc(0) })
})
