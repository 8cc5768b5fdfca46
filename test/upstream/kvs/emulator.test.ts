import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../../src/emulator/config.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import type { RenditionName } from '../../../src/timeline/fragment.ts'
import type { HlsSession } from '../../../src/upstream/hls-session.ts'
import type { ListedFragment, ListedMap } from '../../../src/upstream/listed-fragment.ts'
import { SessionDeadError } from '../../../src/upstream/session-dead-error.ts'
import { SessionKeeper } from '../../../src/upstream/session-keeper.ts'
import { CAMERA, type Kvs, startKvs } from '../support/kvs.ts'
import { failure } from '../support/outcome.ts'

const never = new AbortController().signal

let kvs: Kvs
afterEach(() => kvs.close())

async function open(camera: CameraConfigInput = {}): Promise<HlsSession> {
  kvs = await startKvs(camera)
  return kvs.open()
}

async function list(
  session: HlsSession,
  rendition: RenditionName = 'video',
): Promise<readonly ListedFragment[]> {
  return kvs.run(session.list(rendition, never))
}

async function newest(session: HlsSession): Promise<ListedFragment> {
  const fragment = (await list(session)).at(-1)
  if (fragment === undefined) throw new Error('nothing listed')
  return fragment
}

function mapOf({ map }: ListedFragment): ListedMap {
  if (map === undefined) throw new Error('no map listed')
  return map
}

const numbers = (fragments: readonly ListedFragment[]): readonly bigint[] =>
  fragments.map(({ number }) => number)

describe('what a session lists can be fetched and read', () => {
  test.each([
    ['av-720p', ['video', 'audio']],
    ['av-360p', ['video', 'audio']],
    ['av-360p-irregular', ['video', 'audio']],
    ['hevc', ['video', 'audio']],
    ['video-only', ['video']],
    ['audio-only', ['audio']],
  ] as const)('%s', async (clip, renditions) => {
    const session = await open({ clip })
    expect(session.playlists).toEqual(renditions)

    const lists = await Promise.all(renditions.map((rendition) => list(session, rendition)))
    for (const [i, rendition] of renditions.entries()) {
      const fragment = lists[i]?.at(-1)
      if (fragment === undefined) throw new Error('nothing listed')
      const init = readInit(await session.init(rendition, mapOf(fragment), never))
      const media = readMedia(await session.fragment(fragment, never), init)
      expect(init.rendition).toBe(rendition)
      expect(media.durationTicks / init.timescale).toBeCloseTo(fragment.durationS, 1)
      expect(numbers(lists[i] ?? [])).toEqual(numbers(lists[0] ?? []))
    }
  })
})

describe('each refusal has its code', () => {
  test.each<[string, CameraConfigInput, string]>([
    ['a stream that is being deleted', { status: 'DELETING' }, 'upstream_stream_not_found'],
    ['no retention', { retentionHours: 0 }, 'upstream_no_retention'],
    ['no codec private data', { codecPrivateData: 'missing' }, 'upstream_codec_private_data'],
    ['bad codec private data', { codecPrivateData: 'invalid' }, 'upstream_codec_private_data'],
    ['unsupported media', { mediaSupported: false }, 'upstream_unsupported_media'],
    ['a role without rights', { signing: 'deny' }, 'upstream_not_authorized'],
    ['not authorized', { signing: 'not-authorized' }, 'upstream_not_authorized'],
    ['expired credentials', { signing: 'expired-token' }, 'upstream_not_authorized'],
    ['a clock that is wrong', { signing: 'signature-expired' }, 'upstream_not_authorized'],
  ])('%s', async (_what, camera, code) => {
    expect(await failure(open(camera))).toMatchObject({ code })
  })
})

test('a session lasts to its last second, and is dead after it', async () => {
  const session = await open()
  kvs.clock.advance(session.expiresAtMs - kvs.clock.now() - 1000)
  expect(await list(session)).not.toHaveLength(0)
  // KVS counts from its own answer, a little after we asked.
  kvs.clock.advance(5000)
  expect(await failure(list(session))).toBeInstanceOf(SessionDeadError)
})

test('a revoked session is dead', async () => {
  const session = await open()
  const fragment = await newest(session)
  kvs.control.revoke(CAMERA)
  expect(await failure(session.fragment(fragment, never))).toBeInstanceOf(SessionDeadError)
})

test('two sessions name the same fragments alike, also where they count from their own start', async () => {
  for (const fragmentUri of ['number', 'index'] as const) {
    const first = await open({ fragmentUri })
    kvs.clock.advance(5000)
    const second = await kvs.open()
    expect(numbers(await list(second))).toEqual(numbers(await list(first)))
    await kvs.close()
  }
  kvs = await startKvs()
})

test('a fragment that has left the list is still reached by its number', async () => {
  const session = await open()
  const fragment = await newest(session)
  const whole = await session.fragment(fragment, never)
  kvs.clock.advance(60_000)
  expect(numbers(await list(session))).not.toContain(fragment.number)

  const { size, body } = await session.openFragment('video', fragment.number, never)
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  expect(size).toBe(whole.length)
  expect(Buffer.concat(chunks).equals(whole)).toBe(true)
})

test('new codec private data is a new map; G8: each init is fetched once', async () => {
  const session = await open({ clip: 'av-360p' })
  const before = await newest(session)
  kvs.control.order(CAMERA, { type: 'codec-private-data' })
  kvs.clock.advance(5000)
  const after = await newest(session)
  const inits: string[] = []
  for (const fragment of [before, after, ...(await list(session))]) {
    inits.push(readInit(await kvs.run(session.init('video', mapOf(fragment), never))).id)
  }

  expect(mapOf(after).key).not.toBe(mapOf(before).key)
  expect(new Set(inits).size).toBe(2)
  expect(kvs.seen.filter((call) => call === 'GetMP4InitFragment 200')).toHaveLength(2)
})

describe('trouble that passes is not noticed', () => {
  test.each([
    [{ kind: 'status', status: 503 }],
    [{ kind: 'status', status: 400, type: 'ClientLimitExceededException' }],
    [{ kind: 'html', status: 200 }],
    [{ kind: 'html', status: 502 }],
    [{ kind: 'refuse' }],
    [{ kind: 'reset' }],
    [{ kind: 'truncate' }],
    [{ kind: 'garbage' }],
    [{ kind: 'empty' }],
  ] as const)('%o', async (fault) => {
    kvs = await startKvs()
    // The endpoint is known by then; its own trouble is tested with the API.
    await kvs.open()
    for (const operation of [
      'GetHLSStreamingSessionURL',
      'GetHLSMasterPlaylist',
      'GetMP4InitFragment',
      'GetMP4MediaFragment',
    ] as const) {
      // Half of a short JSON body may still be one.
      if (fault.kind === 'truncate' && operation.endsWith('URL')) continue
      kvs.control.addFault(CAMERA, { ...fault, operation, times: 1 })
    }
    const session = await kvs.open()
    const fragment = await newest(session)
    const init = await kvs.run(session.init('video', mapOf(fragment), never, readInit))
    const facts = readInit(init)
    const verify = (bytes: Buffer): void => void readMedia(bytes, facts)
    await kvs.run(session.fragment(fragment, never, { verify }))
    expect(kvs.seen.filter((call) => !call.endsWith(' 200')).length).toBeGreaterThanOrEqual(3)
  })

  test('a slow answer is cut off and asked for again', async () => {
    kvs = await startKvs()
    kvs.control.addFault(CAMERA, {
      kind: 'latency',
      ms: 60_000,
      operation: 'GetHLSMediaPlaylist',
      times: 1,
    })
    const session = await kvs.open()
    const start = kvs.clock.now()
    expect(await list(session)).not.toHaveLength(0)
    expect(kvs.clock.now() - start).toBeLessThan(5000)
  })
})

test('G9: an impatient client is never refused for its rate', async () => {
  const session = await open({ clip: 'av-360p' })
  const fragments = await list(session)
  const [fragment] = fragments
  if (fragment === undefined) throw new Error('nothing listed')
  await kvs
    .run(
      Promise.all([
        ...Array.from({ length: 20 }, () => session.list('video', never)),
        ...Array.from({ length: 60 }, () => session.fragment(fragment, never)),
      ]),
    )
    .catch(() => {})

  const counters = kvs.control.counters()
  expect(counters.cameras[CAMERA]?.quotaViolations).toEqual({})
  for (const { quotaViolations, maxPerSecond } of counters.sessions) {
    expect(quotaViolations).toEqual({})
    expect(maxPerSecond).toMatchObject({ GetMP4MediaFragment: 20 })
  }
})

describe('a keeper over real sessions', () => {
  let keeper: SessionKeeper
  let causes: string[]

  async function keep(): Promise<void> {
    kvs = await startKvs({ clip: 'av-360p' })
    causes = []
    keeper = new SessionKeeper({
      clock: kvs.clock,
      random: () => 0.5,
      open: (signal) => kvs.openWith(signal),
      windowMs: () => 10_000,
      onEvent: (event) => causes.push(event.kind === 'rolled_over' ? event.cause : event.kind),
    })
  }

  /** One poll as ingest makes it: renew when due, prove by overlap, take what is new. */
  async function poll(seen: Set<bigint>): Promise<void> {
    const next = keeper.renewal()
    const shown = await next?.list('video', never)
    if (next !== undefined && shown?.some(({ number }) => seen.has(number)) === true) {
      keeper.promote(next)
    }
    const session = await keeper.current(never)
    try {
      for (const fragment of await session.list('video', never)) {
        if (seen.has(fragment.number)) continue
        await session.fragment(fragment, never)
        keeper.delivered()
        seen.add(fragment.number)
      }
    } catch (error) {
      if (!(error instanceof SessionDeadError)) throw error
      keeper.lost(session, error)
    }
  }

  async function polls(
    seconds: number,
    seen: Set<bigint>,
    before?: (second: number) => void,
  ): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      before?.(second)
      await poll(seen)
      kvs.clock.advance(1000)
    }
  }

  /** What was seen is a run of what the camera sent, without a hole. */
  function expectNoneLost(seen: ReadonlySet<bigint>, atLeast: number): void {
    const sent = kvs.control.fragments(CAMERA, 2000).map(({ number }) => BigInt(number))
    const first = sent.findIndex((number) => seen.has(number))
    expect(seen.size).toBeGreaterThanOrEqual(atLeast)
    expect(sent.slice(first, first + seen.size)).toEqual([...seen])
  }

  test('G3: ten minutes of five-minute sessions lose no fragment', async () => {
    await keep()
    const seen = new Set<bigint>()
    await polls(600, seen)

    expectNoneLost(seen, 600)
    expect(causes.filter((cause) => cause === 'schedule')).toHaveLength(2)
    expect(causes).not.toContain('lost')
    expect(kvs.seen.filter((call) => !call.endsWith(' 200'))).toEqual([])
    keeper.close()
  })

  test('G3: sessions revoked at random are followed by new ones, at most two at a time', async () => {
    await keep()
    const seen = new Set<bigint>()
    await polls(120, seen, (second) => {
      if (second % 7 === 3) kvs.control.revoke(CAMERA)
      expect(kvs.control.counters().cameras[CAMERA]?.openSessions).toBeLessThanOrEqual(2)
    })

    expectNoneLost(seen, 115)
    expect(causes.filter((cause) => cause === 'lost').length).toBeGreaterThanOrEqual(17)
    keeper.close()
  })

  test('a camera that stops is asked for about once a second, and is seen when it comes back', async () => {
    await keep()
    const session = await kvs.run(keeper.current(never))
    kvs.control.stopProducer(CAMERA)
    kvs.clock.advance(40_000)
    const dead = await failure(list(session))
    expect(dead).toMatchObject({ code: 'no_media' })
    kvs.control.resetCounters()

    keeper.lost(session, dead instanceof SessionDeadError ? dead : new SessionDeadError())
    for (let second = 0; second < 120; second += 1) {
      expect(await failure(kvs.run(keeper.current(never)))).toMatchObject({ code: 'no_media' })
      kvs.clock.advance(1000)
    }
    const asked = causes.filter((cause) => cause === 'failed').length
    expect(asked).toBeGreaterThanOrEqual(110)
    expect(asked).toBeLessThanOrEqual(160)

    kvs.control.resumeProducer(CAMERA)
    kvs.clock.advance(4000)
    expect(await list(await kvs.run(keeper.current(never)))).not.toHaveLength(0)
    keeper.close()
  })
})

test('G16: neither failures nor metrics hold a token of the emulator', async () => {
  const session = await open()
  const fragment = await newest(session)
  const shown: string[] = []
  for (const kind of ['reset', 'garbage', 'empty'] as const) {
    kvs.control.addFault(CAMERA, { kind })
    shown.push(inspect(await failure(list(session)), { depth: 20, showHidden: true }))
    shown.push(inspect(await failure(kvs.open()), { depth: 20, showHidden: true }))
    kvs.control.clearFaults(CAMERA)
  }
  kvs.control.revoke(CAMERA)
  shown.push(inspect(await failure(session.fragment(fragment, never))))
  shown.push(inspect(fragment, { depth: 20, showHidden: true }), inspect(session), ...kvs.seen)

  for (const { token } of kvs.control.counters().sessions) {
    expect(shown.join('\n')).not.toContain(token.slice(10, 60))
  }
  expect(shown.join('\n')).not.toContain('SessionToken=C')
})
