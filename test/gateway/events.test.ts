import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GatewayEvent, gatewayEvent } from '../../src/events/gateway-event.ts'
import { EventReceiver } from '../support/event-receiver.ts'
import { listenTo } from '../support/event-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'

/** A gateway that has somebody to call, from the camera that stops to the one who is called. */
const SECRET = 'hook-s3cret'
const clock = new ManualClock()
const receiver = new EventReceiver()
let world: World

const configFor = ({ url }: EventReceiver) => ({
  auth: { mode: 'cdn-secret', secrets: ['letmein'] },
  events: { webhook: { url, secret: SECRET } },
})

beforeAll(async () => {
  await receiver.start()
  world = await startWorld({
    clock,
    cameras: { lobby: { clip: 'av-180p' }, gone: { clip: 'av-180p' } },
    defaults: { activation: 'always', signalLossAfter: '5s' },
    config: configFor(receiver),
  })
  await pass(clock, 20_000)
})
afterAll(async () => {
  await during(clock, world.close())
  await receiver.die()
})

const eventsUrl = (): string => `${world.gateway.adminUrl}/api/v1/events`
const received = (type: string, subject?: string): readonly GatewayEvent[] =>
  receiver.events.filter((event) => event.type === type && event.subject === subject)
const untilReceived = (type: string, subject: string, count = 1): Promise<void> =>
  passUntil(clock, () => received(type, subject).length >= count)

test('a camera that stops and comes back is told of, the same to all who listen', async () => {
  const before = received('stream.lost', 'lobby').length
  // A machine that is very busy may have lost it at the start.
  await untilReceived('stream.back', 'lobby', before)
  const stream = await during(clock, listenTo(eventsUrl()))
  world.control.stopProducer(cameraOf('lobby'))
  await untilReceived('stream.lost', 'lobby', before + 1)
  const lost = received('stream.lost', 'lobby').at(-1)
  expect(lost?.data).toMatchObject({ state: 'stale' })
  let heard = await during(clock, stream.next())
  while (heard !== undefined && heard['id'] !== lost?.id) heard = await during(clock, stream.next())
  expect(heard?.['event']).toBe('stream.lost')
  expect(gatewayEvent.parse(JSON.parse(heard?.['data'] ?? ''))).toEqual(lost)
  world.control.resumeProducer(cameraOf('lobby'))
  await untilReceived('stream.back', 'lobby', before + 1)
  const back = received('stream.back', 'lobby').at(-1)
  expect(back?.data['since']).toBe(lost?.data['since'])
  stream.leave()
})

test('G17: viewers who are refused are told of as a sum, without what they asked for', async () => {
  const asked = Array.from({ length: 20 }, (_, i) =>
    ask(`${world.gateway.publicUrl}/hls/made-up-${i}/master.m3u8`),
  )
  await during(clock, Promise.all(asked))
  const refused = () => received('auth.refused')
  await passUntil(
    clock,
    () => refused().reduce((sum, { data }) => sum + Number(data['count']), 0) === 20,
  )
  expect(refused()[0]?.data).toMatchObject({ code: 'unauthenticated' })
  expect(refused().length).toBeLessThanOrEqual(2)
  expect(JSON.stringify(receiver.events)).not.toContain('made-up')
})

test('sessions that die for good fail the stream', async () => {
  world.control.patchCamera(cameraOf('gone'), { retentionHours: 0 })
  world.control.revoke(cameraOf('gone'))
  await untilReceived('stream.failed', 'gone')
  expect(received('stream.failed', 'gone')).toMatchObject([
    { data: { code: 'upstream_no_retention' } },
  ])
})

test('metrics say what was told, and that nothing was lost', async () => {
  const metrics = String((await during(clock, ask(`${world.gateway.adminUrl}/metrics`))).body)
  const ofEvents = metrics.split('\n').filter((line) => line.startsWith('kvs_gateway_event'))
  const { length } = received('stream.failed', 'gone')
  expect(ofEvents).toContain(`kvs_gateway_events_total{type="stream.failed"} ${length}`)
  expect(ofEvents.filter((line) => line.includes('dropped'))).toEqual([])
})

test('G16: no event holds a secret, a token or an upstream host', () => {
  expect(receiver.received.every((each) => receiver.isGenuine(each, SECRET))).toBe(true)
  const all = JSON.stringify([receiver.events, world.lines])
  expect(all).not.toContain(SECRET)
  expect(all).not.toContain('letmein')
  const events = JSON.stringify(receiver.events)
  expect(events).not.toContain(new URL(world.emulator.url).host)
  expect(events).not.toMatch(/amazonaws|SessionToken|127\.0\.0\.1/)
})

test('a reload has somebody else called, and is the first thing that is told there', async () => {
  const other = new EventReceiver()
  await other.start()
  const streams = { lobby: { kvs: { streamName: cameraOf('lobby') } } }
  await during(clock, world.reload({ config: { streams, ...configFor(other) } }))
  await passUntil(clock, () => other.events.length > 0)
  expect(other.events[0]).toMatchObject({
    type: 'config.reloaded',
    data: { applied: true, faults: 0, streams: { added: 0, changed: 0, removed: 1 } },
  })
  expect(received('config.reloaded')).toEqual([])
  await during(clock, world.reload({ config: configFor(receiver) }))
  await passUntil(clock, () => received('config.reloaded').length > 0)
  await other.die()
})

test('who listened before a restart is told that something may be missing', async () => {
  const before = receiver.events[0]?.id ?? ''
  await during(clock, world.stopGateway())
  await during(clock, world.startGateway())
  const stream = await during(clock, listenTo(eventsUrl(), { 'last-event-id': before }))
  await during(clock, stream.next())
  expect(await during(clock, stream.next())).toEqual({ event: 'gap', data: '{"missed":null}' })
  stream.leave()
})
