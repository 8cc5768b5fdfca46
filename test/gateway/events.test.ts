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

beforeAll(async () => {
  await receiver.start()
  world = await startWorld({
    clock,
    cameras: { lobby: { clip: 'av-180p' }, gone: { clip: 'av-180p' } },
    defaults: { activation: 'always', signalLossAfter: '5s' },
    config: {
      auth: { mode: 'cdn-secret', secrets: ['letmein'] },
      events: { webhook: { url: receiver.url, secret: SECRET } },
    },
  })
  await pass(clock, 20_000)
})
afterAll(async () => {
  await during(clock, world.close())
  await receiver.die()
})

const eventsUrl = (): string => `${world.gateway.adminUrl}/api/v1/events`
const received = (type: string): readonly GatewayEvent[] =>
  receiver.events.filter((event) => event.type === type)
const untilReceived = (type: string, count = 1): Promise<void> =>
  passUntil(clock, () => received(type).length >= count)

test('a camera that stops and comes back is told of, the same to all who listen', async () => {
  const stream = await during(clock, listenTo(eventsUrl()))
  await during(clock, stream.next())
  world.control.stopProducer(cameraOf('lobby'))
  await untilReceived('stream.lost')
  const [lost] = received('stream.lost')
  expect(lost).toMatchObject({ subject: 'lobby', data: { state: 'stale' } })
  const heard = await during(clock, stream.next())
  expect(heard).toMatchObject({ id: lost?.id, event: 'stream.lost' })
  expect(gatewayEvent.parse(JSON.parse(heard?.['data'] ?? ''))).toEqual(lost)
  world.control.resumeProducer(cameraOf('lobby'))
  await untilReceived('stream.back')
  expect(received('stream.back')).toMatchObject([
    { subject: 'lobby', data: { since: lost?.data['since'], times: 1 } },
  ])
  stream.leave()
})

test('G17: viewers who are refused are told of as a sum, without what they asked for', async () => {
  const asked = Array.from({ length: 20 }, (_, i) =>
    ask(`${world.gateway.publicUrl}/hls/made-up-${i}/master.m3u8`),
  )
  await during(clock, Promise.all(asked))
  await untilReceived('auth.refused')
  expect(received('auth.refused')).toMatchObject([{ data: { code: 'unauthenticated', count: 20 } }])
  expect(JSON.stringify(receiver.events)).not.toContain('made-up')
})

test('sessions that die for good fail the stream', async () => {
  world.control.patchCamera(cameraOf('gone'), { retentionHours: 0 })
  world.control.revoke(cameraOf('gone'))
  await untilReceived('stream.failed')
  expect(received('stream.failed')).toMatchObject([
    { subject: 'gone', data: { code: 'upstream_no_retention' } },
  ])
})

test('metrics say what was told, and that nothing was lost', async () => {
  const metrics = String((await during(clock, ask(`${world.gateway.adminUrl}/metrics`))).body)
  expect(metrics).toContain('kvs_gateway_events_total{type="stream.lost"} 1')
  expect(metrics).toMatch(/kvs_gateway_events_sent_total [1-9]/)
  expect(metrics).toContain('kvs_gateway_events_waiting 0')
  expect(metrics).not.toMatch(/events_dropped_total\{/)
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

test('who listened before a restart is told that something may be missing', async () => {
  const before = received('stream.lost')[0]?.id ?? ''
  await during(clock, world.stopGateway())
  await during(clock, world.startGateway())
  const stream = await during(clock, listenTo(eventsUrl(), { 'last-event-id': before }))
  await during(clock, stream.next())
  expect(await during(clock, stream.next())).toEqual({ event: 'gap', data: '{"missed":null}' })
  stream.leave()
})
