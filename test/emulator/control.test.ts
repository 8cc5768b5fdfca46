import { expect, test } from 'vitest'
import { get, openSession, playlistUrl, type Rig, rig } from './support/client.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function call(it: Rig, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${it.emulator.url}/control${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: await response.json() }
}

test('cameras and their switches', async () => {
  await using it = await rig()
  expect((await call(it, 'GET', '/cameras')).body).toEqual({
    cameras: ['lobby-camera', 'entrance-camera', 'garage-camera', 'yard-camera'],
  })
  const patch = { tfdtBase: 'session', quotas: { mediaPlaylist: 50 } }
  expect(await call(it, 'PATCH', '/cameras/lobby-camera', patch)).toMatchObject({
    status: 200,
    body: { config: { tfdtBase: 'session', quotas: { mediaPlaylist: 50, initFragment: 5 } } },
  })
  expect(it.emulator.control.camera('lobby-camera').config.tfdtBase).toBe('session')
  expect(it.emulator.control.camera('yard-camera').config.tfdtBase).toBe('epoch')
})

test('a camera is added while it runs, under a name that is not taken', async () => {
  await using it = await rig()
  const added = await call(it, 'PUT', '/cameras/new-camera', { clip: 'hevc' })
  expect(added).toMatchObject({ status: 200, body: { producing: true, config: { clip: 'hevc' } } })
  expect((await call(it, 'PUT', '/cameras/new-camera', {})).status).toBe(400)
  expect((await call(it, 'PUT', '/cameras/other', { clip: 'none' })).status).toBe(400)
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'new-camera' })
  expect((await get(masterUrl)).text).toContain('CODECS="hvc1')
})

test('a patched latency holds for what comes, and leaves what was shown', async () => {
  await using it = await rig()
  it.clock.advance(150)
  const before = it.emulator.control.fragments('lobby-camera', 3)
  await call(it, 'PATCH', '/cameras/lobby-camera', { ingestLatencyMs: 1000, serverJitterMs: 0 })
  it.clock.advance(3000)
  const after = it.emulator.control.fragments('lobby-camera', 4)
  expect(after.slice(0, 3)).toEqual(before)
  const [newest] = after.slice(-1)
  expect((newest?.listedAtMs ?? 0) - (newest?.producerMs ?? 0)).toBe(3000)
  expect((newest?.serverMs ?? 0) - (newest?.producerMs ?? 0)).toBe(1000)
})

test('the producer stops and resumes', async () => {
  await using it = await rig()
  const stopped = await call(it, 'POST', '/cameras/lobby-camera/stop')
  expect(stopped.body).toMatchObject({ producing: false })
  it.clock.advance(40_000)
  expect(it.emulator.control.fragments('lobby-camera', 1)[0]?.producerMs).toBeLessThan(
    it.clock.now() - 40_000,
  )
  await call(it, 'POST', '/cameras/lobby-camera/resume')
  it.clock.advance(5000)
  expect(await call(it, 'GET', '/cameras/lobby-camera')).toMatchObject({
    body: { producing: true, events: [{ event: { type: 'stop' } }, { event: { type: 'resume' } }] },
  })
})

test('events, faults and revocation', async () => {
  await using it = await rig()
  const event = { type: 'drop', count: 2 }
  expect(await call(it, 'POST', '/cameras/lobby-camera/events', { event })).toMatchObject({
    status: 200,
    body: { events: [{ event, fromMs: it.clock.now() }] },
  })
  const fault = { kind: 'status', status: 500, operation: 'GetHLSMasterPlaylist', times: 3 }
  await call(it, 'POST', '/cameras/lobby-camera/faults', fault)
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  expect((await get(masterUrl)).status).toBe(500)
  expect(it.emulator.control.camera('lobby-camera').faults).toMatchObject([{ times: 2 }])
  await call(it, 'DELETE', '/cameras/lobby-camera/faults')
  expect((await get(masterUrl)).status).toBe(200)
  expect((await call(it, 'POST', '/cameras/lobby-camera/revoke')).body).toEqual({ revoked: 1 })
  expect((await get(masterUrl)).status).toBe(403)
})

test('counters tell calls, bytes, fragments and sessions apart', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera', Expires: 300 })
  await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const { text } = await get(playlistUrl(masterUrl))
  const fragment = /getMP4MediaFragment.*/.exec(text)?.[0] ?? ''
  const { bytes } = await get(new URL(fragment, masterUrl).href)
  const number = /FragmentNumber=(\d+)/.exec(fragment)?.[1] ?? ''

  expect((await call(it, 'GET', '/counters')).body).toMatchObject({
    cameras: {
      'lobby-camera': {
        calls: {
          GetDataEndpoint: { 200: 2 },
          GetHLSStreamingSessionURL: { 200: 2 },
          GetHLSMediaPlaylist: { 200: 1 },
          GetMP4MediaFragment: { 200: 1 },
        },
        bytes: { GetHLSMediaPlaylist: text.length, GetMP4MediaFragment: bytes.length },
        sessionsOpened: 2,
        openSessions: 1,
        activeSessions: 1,
        fragments: { [number]: { 1: 1 } },
      },
      'yard-camera': { calls: {}, openSessions: 0 },
    },
    sessions: [
      { id: '1', state: 'open', calls: { GetMP4MediaFragment: { 200: 1 } } },
      { id: '2', state: 'open', calls: {}, lastUsedMs: null },
    ],
  })
  it.clock.advance(31_000)
  expect(it.emulator.control.counters().cameras['lobby-camera']).toMatchObject({
    openSessions: 1,
    activeSessions: 0,
  })
  it.clock.advance(300_000)
  await call(it, 'DELETE', '/counters')
  expect(it.emulator.control.counters().cameras['lobby-camera']).toMatchObject({
    calls: {},
    openSessions: 0,
    fragments: {},
  })
})

test('recent fragments, newest last', async () => {
  await using it = await rig()
  const { body } = await call(it, 'GET', '/cameras/garage-camera/fragments?limit=2')
  expect(body).toMatchObject({
    fragments: [
      { durationMs: 3700, tracks: ['video', 'audio'] },
      { durationMs: 4000, generation: 0 },
    ],
  })
})

test.each([
  ['GET', '/cameras/nobody', undefined, 404, 'no camera nobody'],
  ['POST', '/cameras/lobby-camera/revoke', { session: '7' }, 404, 'no session 7 of lobby-camera'],
  ['PATCH', '/cameras/lobby-camera', { clip: 'hevc' }, 400, 'cannot be changed while it runs'],
  ['PATCH', '/cameras/lobby-camera', { tfdtbase: 'epoch' }, 400, 'tfdtbase'],
  ['PATCH', '/cameras/lobby-camera', { silence: 'loud' }, 400, 'silence'],
  ['POST', '/cameras/lobby-camera/events', { event: { type: 'explode' } }, 400, 'event.type'],
  ['POST', '/cameras/lobby-camera/faults', { kind: 'status' }, 400, 'status'],
  ['GET', '/cameras/lobby-camera/fragments?limit=0', undefined, 400, 'limit'],
])('%s %s %j is refused', async (method, path, body, status, text) => {
  await using it = await rig()
  const answer = await call(it, method, path, body)
  expect(answer.status).toBe(status)
  expect(JSON.stringify(answer.body)).toContain(text)
})
