import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { gatewayEvent } from '../../src/events/gateway-event.ts'
import { Webhook } from '../../src/events/webhook.ts'
import { postEvent } from '../../src/gateway/post-event.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { type Answerer, EventReceiver, taken } from '../support/event-receiver.ts'
import { silentEvents } from '../support/events.ts'
import { ManualClock } from '../support/manual-clock.ts'

const SECRET = 'a secret with ünusual letters'

let ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  ends = []
})

async function open(url = (port: string): string => port) {
  const receiver = new EventReceiver()
  await receiver.start()
  const clock = new ManualClock()
  const agent = new UpstreamAgent()
  const counters = {
    sent: { value: 0 },
    attemptsFailed: { value: 0 },
    dropped: new Counter(['reason']),
    waiting: { value: 0 },
  }
  const webhook = new Webhook(
    {
      clock,
      random: () => 0.5,
      log: silentLog,
      post: postEvent({ agent, clock }),
      version: '1.2.3',
      ...counters,
    },
    { url: url(receiver.url), secret: SECRET, types: [] },
  )
  const events = silentEvents(clock)
  events.listen((event) => webhook.offer(event))
  ends.push(
    () => receiver.die(),
    () => agent.destroy(),
    async () => {
      webhook.configure(undefined)
      await webhook.close()
    },
  )
  const lose = (stream: string): void =>
    events.emit('stream.lost', { state: 'stale', reason: 'no_media', since: 'then' }, stream)
  /** Lets time pass until so many are taken. */
  const sent = (count: number): Promise<void> =>
    clock.runUntil(() => counters.sent.value >= count, { stepMs: 250 })
  return { receiver, clock, webhook, lose, sentUntil: sent, ...counters }
}

const ids = (receiver: EventReceiver): readonly string[] => receiver.events.map(({ id }) => id)

test('an event comes as CloudEvents in structured mode, signed', async () => {
  const { receiver, lose, sentUntil } = await open()
  lose('lobby')
  await sentUntil(1)
  const [event] = receiver.received
  expect(event).toMatchObject({
    url: '/hook?team=a%20b',
    headers: {
      'content-type': 'application/cloudevents+json',
      'user-agent': 'kvs-hls-gateway/1.2.3',
    },
  })
  if (event === undefined) return
  expect(receiver.isGenuine(event, SECRET)).toBe(true)
  expect(receiver.isGenuine(event, 'another')).toBe(false)
  expect(
    receiver.isGenuine({ ...event, body: Buffer.concat([event.body, Buffer.from(' ')]) }, SECRET),
  ).toBe(false)
  expect(gatewayEvent.parse(JSON.parse(event.body.toString()))).toMatchObject({
    type: 'stream.lost',
    subject: 'lobby',
  })
})

test('a receiver that dies and comes back has all events, in order', async () => {
  const { receiver, lose, sentUntil, attemptsFailed, clock } = await open()
  lose('a')
  await sentUntil(1)
  await receiver.die()
  lose('b')
  lose('c')
  await clock.runUntil(() => attemptsFailed.value >= 3, { stepMs: 250 })
  await receiver.start()
  await sentUntil(3)
  expect(ids(receiver)).toEqual(['l1-1', 'l1-2', 'l1-3'])
})

test.each<[string, Answerer]>([
  ['fails', (response) => response.writeHead(500).end('no')],
  ['asks for patience', (response) => response.writeHead(503, { 'retry-after': '7' }).end()],
  ['stalls', () => {}],
  ['breaks off', (response) => response.destroy()],
  ['talks nonsense', (response) => response.socket?.end('HTTP/1.1 banana\r\n\r\n')],
  ['refuses us', (response) => response.writeHead(401).end()],
])('a receiver that %s gets the event again until it takes it', async (_, answer) => {
  const { receiver, lose, sentUntil, clock, attemptsFailed, dropped } = await open()
  receiver.answer = answer
  lose('a')
  lose('b')
  await clock.runUntil(() => attemptsFailed.value >= 2, { stepMs: 250 })
  receiver.answer = taken
  await sentUntil(2)
  expect(new Set(ids(receiver))).toEqual(new Set(['l1-1', 'l1-2']))
  expect(ids(receiver).slice(0, 3)).toEqual(['l1-1', 'l1-1', 'l1-1'])
  expect(ids(receiver).at(-1)).toBe('l1-2')
  expect(dropped.total()).toBe(0)
})

test('a receiver that answers without an end has taken the event', async () => {
  const { receiver, lose, sentUntil } = await open()
  receiver.answer = (response) => response.writeHead(200).write('x'.repeat(100_000))
  lose('a')
  lose('b')
  await sentUntil(2)
  expect(ids(receiver)).toEqual(['l1-1', 'l1-2'])
})

test('G17: a redirect is not followed', async () => {
  const { receiver, lose, sentUntil, clock, attemptsFailed } = await open()
  receiver.answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end()
  lose('a')
  await clock.runUntil(() => attemptsFailed.value >= 2, { stepMs: 250 })
  expect(receiver.received.map(({ url }) => url)).toEqual(Array(2).fill('/hook?team=a%20b'))
  receiver.answer = taken
  await sentUntil(1)
})

test('a name and a password in the address are shown as such', async () => {
  const { receiver, lose, sentUntil } = await open((url) => url.replace('//', '//me:s3cret@'))
  lose('a')
  await sentUntil(1)
  const proof = Buffer.from('me:s3cret').toString('base64')
  expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${proof}`)
})
