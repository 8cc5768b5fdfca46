import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Archive } from '../../src/archive/archive.ts'
import { Archives } from '../../src/archive/archives.ts'
import { ListRoom } from '../../src/archive/list-room.ts'
import { baseTicksOf } from '../../src/archive/past-fragments.ts'
import type { ArchiveRange } from '../../src/archive/range.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { contentId } from '../../src/store/content-id.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import type { FragmentBody } from '../../src/store/fragment-body.ts'
import type { FragmentTier } from '../../src/store/fragment-tier.ts'
import { type ArchiveName, nameOf } from '../../src/timeline/archive/name.ts'
import type { PlacedBy } from '../../src/timeline/archive/place.ts'
import type { ListedSegment, RenditionName } from '../../src/timeline/fragment.ts'
import { secondsOf } from '../../src/timeline/listed.ts'
import { firstSequence } from '../../src/timeline/numbering.ts'
import { segmentsOf } from '../../src/timeline/segment-block.ts'
import { cacheOf } from '../support/fragment-cache.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { recorded, recordingOf, ScriptedPast, START_MS, type Stored } from './scripted-past.ts'
import { published, ScriptedTail } from './scripted-tail.ts'

/** Where mfhd.sequence_number stands in a fragment that begins with its moof. */
const MFHD_AT = 20

/** How many ranges of one stream there may be at a time. */
const PLACES = 128

const never = new AbortController().signal
const HOUR_MS = 3_600_000
const ALL: ArchiveRange = { startMs: START_MS, endMs: START_MS + HOUR_MS }

interface Stage {
  readonly past: ScriptedPast
  readonly tail: ScriptedTail
  readonly clock: ManualClock
  readonly archives: Archives
}

interface StageOptions {
  readonly tail?: ScriptedTail
  readonly nowMs?: number
  readonly mostResults?: number
  readonly mostEntries?: number
  readonly placedBy?: PlacedBy
  readonly tier?: FragmentTier
  readonly room?: ListRoom
  /** The source keeps nothing. */
  readonly isForeign?: boolean
}

/** A stream that does not run, and of which this is recorded, a day later. */
function stageOf(stored: readonly Stored[], options: StageOptions = {}): Stage {
  const { nowMs = START_MS + 24 * HOUR_MS, tail = new ScriptedTail(), mostEntries = 1000 } = options
  const clock = new ManualClock(nowMs)
  const past = new ScriptedPast(stored)
  const cache = cacheOf(clock, options.tier)
  const recording =
    options.isForeign === true
      ? undefined
      : recordingOf(past, { clock, cache, mostResults: options.mostResults ?? 100 })
  const archives = new Archives({
    clock,
    log: silentLog,
    tail,
    recording,
    placedBy: options.placedBy ?? 'dates',
    room: options.room ?? new ListRoom(100_000),
    limits: { maxMs: 7 * 24 * HOUR_MS, maxClipMs: HOUR_MS },
    mostEntries,
  })
  return { past, tail, clock, archives }
}

async function entriesOf(archive: Archive): Promise<readonly ListedSegment[]> {
  const { blocks, tail } = await archive.ready(never)
  return [...blocks.flatMap((block) => segmentsOf(block)), ...tail]
}

async function numbersOf(archive: Archive): Promise<readonly number[]> {
  return (await entriesOf(archive)).map(({ number }) => Number(number))
}

async function bytesOf(
  archive: Archive,
  name: ArchiveName,
  rendition: RenditionName = 'video',
): Promise<Buffer> {
  const body: FragmentBody = await archive.fragment(rendition, name, never)
  await body.more(body.size - 1, never)
  return body.bytes
}

/** All that a range plays: each segment's name and content. */
async function contentOf(archive: Archive): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>()
  for (const entry of await entriesOf(archive)) {
    for (const rendition of ['video', 'audio'] as const) {
      if (entry.tracks[rendition] === undefined) continue
      const bytes = await bytesOf(archive, nameOf(entry, rendition), rendition)
      content.set(`${entry.startMs}-${entry.number}/${rendition}`, contentId(bytes))
    }
  }
  return content
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}

describe('a range of the past', () => {
  test('G2: is listed from its first fragment to its last, and complete', async () => {
    const { archives } = stageOf(recorded(60, { sound: true }))
    const archive = archives.get({ startMs: START_MS + 10_000, endMs: START_MS + 50_000 })
    const { type, ended, renditions, targetDuration } = await archive.ready(never)
    const entries = await entriesOf(archive)
    expect({ type, ended, renditions, targetDuration }).toEqual({
      type: 'VOD',
      ended: true,
      renditions: ['video', 'audio'],
      targetDuration: 1,
    })
    expect(entries.map(({ number }) => Number(number))).toEqual(range(50).slice(10))
    expect(entries.filter(({ discontinuity }) => discontinuity !== undefined)).toEqual([])
    expect(entries.map(({ startMs }) => startMs)).toEqual(
      range(50)
        .slice(10)
        .map((number) => START_MS + 1000 * (number - 1)),
    )
  })

  test('G8: is listed and fetched once, however many watch it', async () => {
    const { archives, past } = stageOf(recorded(60, { sound: true }))
    const all = await Promise.all(Array.from({ length: 100 }, () => entriesOf(archives.get(ALL))))
    const entry = all[0]?.[30]
    if (entry === undefined) throw new Error('nothing is listed')
    const archive = archives.get(ALL)
    const bodies = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        const rendition = i % 2 === 0 ? 'video' : 'audio'
        return bytesOf(archive, nameOf(entry, rendition), rendition)
      }),
    )
    expect(new Set(bodies.map(contentId)).size).toBe(2)
    await contentOf(archive)
    expect(past.windows).toHaveLength(1)
    expect(past.fetched.toSorted()).toEqual([...new Set(past.fetched)].toSorted())
    expect(past.fetched).toHaveLength(120)
  })

  test('G8: bytes reach who waits while they are still arriving, and a body that breaks off is read on', async () => {
    const { archives, past } = stageOf(recorded(20, { sound: true }))
    const archive = archives.get(ALL)
    const [, , entry] = await entriesOf(archive)
    if (entry === undefined) throw new Error('nothing is listed')
    const whole = await bytesOf(
      stageOf(recorded(20, { sound: true })).archives.get(ALL),
      nameOf(entry, 'video'),
    )
    let breaks = (): void => {}
    const broken = new Promise<void>((resolve) => {
      breaks = resolve
    })
    let bodies = 0
    past.arriving = async function* (bytes) {
      bodies += 1
      yield bytes.subarray(0, bytes.length - 5)
      if (bodies > 2) {
        yield bytes.subarray(-5)
        return
      }
      await broken
      throw new Error('reset')
    }
    const waiting = [1, 2].map(() => archive.fragment('video', nameOf(entry, 'video'), never))
    const [first, second] = await Promise.all(waiting)
    if (first === undefined || second === undefined) throw new Error('nothing came')
    await Promise.all([first, second].map((body) => body.more(whole.length - 6, never)))
    expect([first.size, first.arrived, second.arrived]).toEqual([
      whole.length,
      whole.length - 5,
      whole.length - 5,
    ])
    breaks()
    await first.more(first.size - 1, never)
    expect(first.bytes).toEqual(whole)
  })

  test('G1: the same fragment is the same bytes, whatever its session counts from and whatever is asked for', async () => {
    const stored = recorded(20, { sound: true })
    const contents: ReadonlyMap<string, string>[] = []
    for (const base of ['epoch', 'session', 'fragment'] as const) {
      for (const startMs of [START_MS, START_MS + 5_000]) {
        const { archives, past } = stageOf(stored)
        past.base = base
        contents.push(await contentOf(archives.get({ startMs, endMs: START_MS + 20_000 })))
      }
    }
    const [whole = new Map<string, string>(), ...others] = contents
    expect(whole.size).toBe(40)
    for (const content of others) {
      for (const [name, id] of content) expect([name, whole.get(name)]).toEqual([name, id])
    }
  })

  test('G2: picture and sound keep their distance, and begin where the date says', async () => {
    const { archives, past } = stageOf(recorded(5, { sound: true }))
    past.base = 'session'
    const archive = archives.get(ALL)
    const [, entry] = await entriesOf(archive)
    if (entry === undefined) throw new Error('nothing is listed')
    const [video, audio] = await Promise.all([
      bytesOf(archive, nameOf(entry, 'video')),
      bytesOf(archive, nameOf(entry, 'audio'), 'audio'),
    ])
    const seconds = (bytes: Buffer, name: RenditionName): number =>
      baseTicksOf(bytes) / (entry.tracks[name]?.init.timescale ?? 1)
    expect(seconds(video, 'video')).toBeCloseTo((START_MS + 1000) / 1000, 4)
    expect(seconds(audio, 'audio') - seconds(video, 'video')).toBeCloseTo(0.012, 3)
  })

  test('G4: gaps and overlaps are discontinuities, and nothing else is', async () => {
    const stored = recorded(40).map((one, i) => ({
      ...one,
      dateMs: one.dateMs + (i >= 10 ? 20_000 : 0) + (i >= 25 ? -400 : 0) + (i % 2) * 20,
    }))
    const { archives } = stageOf(stored)
    const entries = await entriesOf(archives.get(ALL))
    const breaks = entries.flatMap(({ number, discontinuity }) =>
      discontinuity === undefined ? [] : [number],
    )
    expect(breaks).toEqual([11n, 26n])
  })

  test('G4: pictures at uneven steps follow on, as in the live list, and say so in their bytes', async () => {
    const steps = [40, 300, 120, 400, 40, 220, 60, 380, 40, 160]
    let dateMs = START_MS
    const stored = Array.from({ length: 30 }, (_, i): Stored => {
      const own = steps.map((_step, j) => steps[(i + j) % steps.length] ?? 40)
      // The packer takes the last picture to last as long as the one before it.
      const picturesMs = [...own.slice(0, -1), own.at(-2) ?? 40]
      const lengthMs = picturesMs.reduce((sum, ms) => sum + ms, 0)
      const fragment = { number: BigInt(i + 1), dateMs, lengthMs, picturesMs, tracks: 1 }
      dateMs += own.reduce((sum, ms) => sum + ms, 0)
      return fragment
    })
    const { archives } = stageOf(stored)
    const archive = archives.get(ALL)
    const entries = await entriesOf(archive)
    expect(entries).toHaveLength(30)
    expect(entries.filter(({ discontinuity }) => discontinuity !== undefined)).toEqual([])
    let endMs = START_MS
    for (const [i, entry] of entries.entries()) {
      const { video } = entry.tracks
      if (video === undefined) throw new Error('no picture')
      const { init } = video
      const media = readMedia(await bytesOf(archive, nameOf(entry, 'video')), init)
      expect((media.baseTicks / init.timescale) * 1000).toBeCloseTo(endMs, 0)
      endMs = ((media.baseTicks + media.durationTicks) / init.timescale) * 1000
      expect(endMs).toBeCloseTo((stored[i]?.dateMs ?? 0) + (stored[i]?.lengthMs ?? 0), 0)
      expect(endMs).toBeCloseTo(entry.startMs + secondsOf(video) * 1000, 0)
    }
  })

  test('moof boxes are numbered on along the list, to the MSNs of what was published live', async () => {
    const { archives } = stageOf(recorded(300, { sound: true }))
    const archive = archives.get(ALL)
    const numbers: number[] = []
    for (const entry of await entriesOf(archive)) {
      const [video, audio] = await Promise.all([
        bytesOf(archive, nameOf(entry, 'video')),
        bytesOf(archive, nameOf(entry, 'audio'), 'audio'),
      ])
      const [number, other] = [video, audio].map((bytes) => bytes.readUInt32BE(MFHD_AT))
      expect(other).toBe(number)
      expect(number).toBeGreaterThan(numbers.at(-1) ?? 0)
      numbers.push(number ?? 0)
    }
    const first = { number: 1n, receivedMs: START_MS }
    expect(numbers.at(-1)).toBeLessThan(firstSequence(first))
  })

  test('G4: another codec is a new init behind a discontinuity', async () => {
    const stored = recorded(20).map(
      (one, i): Stored => ({ ...one, codec: i < 12 ? 'avc' : 'hevc' }),
    )
    const { archives, past } = stageOf(stored)
    const archive = archives.get(ALL)
    const entries = await entriesOf(archive)
    const breaks = entries.flatMap(({ number, discontinuity }) =>
      discontinuity === undefined ? [] : [number],
    )
    expect(breaks).toEqual([13n])
    expect(new Set(entries.map(({ tracks }) => tracks.video?.init.id)).size).toBe(2)
    for (const { tracks } of entries)
      expect(archive.init('video', tracks.video?.init.id ?? '')).toBeDefined()
    expect(past.windows).toHaveLength(1)
  })

  test('G4: where a session bears too few changes of codec private data, several list it', async () => {
    const { archives, past } = stageOf(recorded(40))
    const open = past.open.bind(past)
    past.open = (window) =>
      window.fragmentResults > 12
        ? Promise.reject(new GatewayError('upstream_codec_private_data', 'too many changes'))
        : open(window)
    expect(await numbersOf(archives.get(ALL))).toEqual(range(40))
    expect(past.windows.every(({ fragmentResults }) => fragmentResults <= 12)).toBe(true)
  })

  test('G7: sound that comes and goes is listed with gaps, by sessions of their own', async () => {
    const stored = recorded(30).map((one, i): Stored => {
      const sound = i < 10 || i >= 20
      return { ...one, sound, tracks: sound ? 2 : 1 }
    })
    const { archives, past } = stageOf(stored)
    const archive = archives.get(ALL)
    const entries = await entriesOf(archive)
    expect(entries.map(({ tracks }) => tracks.audio !== undefined)).toEqual(
      stored.map(({ sound }) => sound),
    )
    expect((await archive.ready(never)).renditions).toEqual(['video', 'audio'])
    expect(past.windows).toHaveLength(3)
    // Found by bisection, and not one by one.
    expect(past.fetched.length).toBeLessThan(60)
    const silent = entries[15]
    if (silent === undefined) throw new Error('nothing is listed')
    await expect(bytesOf(archive, nameOf(silent, 'audio'), 'audio')).rejects.toMatchObject({
      code: 'segment_gone',
    })
  })

  test('G4: a fragment that no session gives is left out, and three in a row end the list', async () => {
    const { archives, past } = stageOf(recorded(10))
    const refused = (): Error => new GatewayError('upstream_unsupported_media', 'not this one')
    past.refuse(refused, { number: 6n, times: 100 })
    expect(await numbersOf(archives.get(ALL))).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10])
    const other = stageOf(recorded(10))
    for (const number of [1n, 2n, 3n, 4n]) other.past.refuse(refused, { number, times: 100 })
    await expect(other.archives.get(ALL).ready(never)).rejects.toMatchObject({
      code: 'upstream_unavailable',
    })
  })

  test('G3: a session that is revoked is replaced unseen', async () => {
    const { archives, past } = stageOf(recorded(20))
    const archive = archives.get(ALL)
    const entries = await entriesOf(archive)
    past.revoke()
    for (const entry of entries) await bytesOf(archive, nameOf(entry, 'video'))
    expect(past.windows).toHaveLength(2)
    expect(past.windows[0]).toEqual(past.windows[1])
  })

  test('on the server clock the place in a list is part of the name, and its bytes are made once', async () => {
    const stored = recorded(10).map((one, i) => ({ ...one, dateMs: one.dateMs + (i % 2) * 20 }))
    const { archives, past } = stageOf(stored, { placedBy: 'lengths' })
    const archive = archives.get(ALL)
    const [first, second] = await entriesOf(archive)
    if (first === undefined || second === undefined) throw new Error('nothing is listed')
    expect(second).toMatchObject({ startMs: START_MS + 1000, dateMs: START_MS + 1020 })
    const bodies = await Promise.all([1, 2, 3].map(() => bytesOf(archive, nameOf(second, 'video'))))
    expect(new Set(bodies).size).toBe(1)
    expect(
      baseTicksOf(bodies[0] ?? Buffer.alloc(0)) / (second.tracks.video?.init.timescale ?? 1),
    ).toBe((START_MS + 1000) / 1000)
    expect(past.fetched.filter((one) => one === '2/video')).toHaveLength(1)
  })

  test('G18: one of too many fragments is refused, and not listed on by those who ask again', async () => {
    const { archives, past } = stageOf(recorded(100), { mostResults: 10, mostEntries: 30 })
    const tooMuch = /more than 30 fragments/
    await expect(archives.get(ALL).ready(never)).rejects.toThrow(tooMuch)
    const before = past.windows.length
    for (let i = 0; i < 20; i += 1)
      await expect(archives.get(ALL).ready(never)).rejects.toThrow(tooMuch)
    expect(past.windows).toHaveLength(before)
    expect(archives.get(ALL).size).toBeLessThan(45)
  })

  test('that takes longer to list than a viewer waits is there for who comes back', async () => {
    const { archives, past, clock } = stageOf(recorded(20))
    let go = (): void => {}
    past.ready = new Promise((resolve) => {
      go = resolve
    })
    const waiting = archives.get(ALL).ready(never)
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 2000,
    })
    await nextTurn()
    clock.advance(25_000)
    await refused
    const again = archives.get(ALL).ready(never)
    go()
    await again
    expect(past.windows).toHaveLength(1)
  })

  test('G17: ends with its last waiter, and goes on from there for the next', async () => {
    const { archives, past } = stageOf(recorded(90), { mostResults: 20 })
    const leaving = new AbortController()
    const { promise, resolve } = Promise.withResolvers<void>()
    const archive = archives.get(ALL)
    const open = past.open.bind(past)
    past.open = async (window) => {
      if (past.windows.length === 2) {
        resolve()
        await new Promise(() => {})
      }
      return open(window)
    }
    const left = archive.ready(leaving.signal)
    left.catch(() => {})
    await promise
    expect(archive.isListing).toBe(true)
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    for (let i = 0; i < 5; i += 1) await nextTurn()
    expect([archive.isListing, past.windows.length]).toEqual([false, 2])
    past.open = open
    expect(await numbersOf(archives.get(ALL))).toEqual(range(90))
    expect(past.windows).toHaveLength(5)
  })

  test('G17: goes on for a while for those who were told to come again, and then no more', async () => {
    const { archives, past, clock } = stageOf(recorded(5))
    past.open = () => new Promise(() => {})
    const archive = archives.get(ALL)
    const asked = archive.ready(never)
    asked.catch(() => {})
    await nextTurn()
    clock.advance(25_000)
    await expect(asked).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 2_000 })
    clock.advance(9_000)
    await nextTurn()
    expect(archive.isListing).toBe(true)
    clock.advance(2_000)
    for (let i = 0; i < 5; i += 1) await nextTurn()
    expect(archive.isListing).toBe(false)
  })

  test('that fails says so to all who ask within a second, and is tried again then', async () => {
    const { archives, past, clock } = stageOf(recorded(5))
    past.refuse(() => new GatewayError('upstream_unavailable', 'down'), { times: 1000 })
    const ask = (): Promise<unknown> => archives.get(ALL).ready(never)
    await expect(ask()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    const sessions = past.windows.length
    await expect(ask()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(past.windows).toHaveLength(sessions)
    clock.advance(1_000)
    await expect(ask()).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(past.windows.length).toBeGreaterThan(sessions)
  })

  test('that KVS lists fragments of, and gives none, is not said to be empty', async () => {
    const { archives, past } = stageOf(recorded(20))
    past.open = () => Promise.reject(new GatewayError('no_media', 'nothing'))
    await expect(archives.get(ALL).ready(never)).rejects.toMatchObject({
      code: 'upstream_unavailable',
    })
  })

  test('of which KVS lists nothing is what the stream itself has shown of it', async () => {
    const tail = new ScriptedTail(true)
    tail.show(range(60).map((number) => published(number)))
    const { archives } = stageOf([], { tail, nowMs: START_MS + 120_000 })
    // It does not reach to the end, so KVS is asked first.
    const asked = { startMs: START_MS + 20_000, endMs: START_MS + 100_000 }
    expect(await numbersOf(archives.get(asked))).toEqual(range(60).slice(20))
  })

  test('that holds nothing names the nearest times', async () => {
    const stored = [
      { number: 1n, dateMs: START_MS, tracks: 1 },
      { number: 2n, dateMs: START_MS + 2 * HOUR_MS, tracks: 1 },
    ]
    const { archives } = stageOf(stored)
    const empty = { startMs: START_MS + 60_000, endMs: START_MS + 120_000 }
    await expect(archives.get(empty).ready(never)).rejects.toMatchObject({
      code: 'no_recording',
      members: {
        nearestBefore: new Date(START_MS + 1000).toISOString(),
        nearestAfter: new Date(START_MS + 2 * HOUR_MS).toISOString(),
      },
    })
  })
})

test('what was played of the past is on disk after a restart, and is not fetched again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kvs-past-'))
  try {
    const open = (): Promise<DiskStore> => DiskStore.open({ dir, maxBytes: 1e6, log: silentLog })
    const first = stageOf(recorded(20, { sound: true }), { tier: await open() })
    const before = await contentOf(first.archives.get(ALL))
    const saved = async (): Promise<number> => {
      const files = await readdir(dir, { recursive: true })
      return files.filter((file) => file.endsWith('.m4s')).length
    }
    await expect.poll(saved, { timeout: 60_000 }).toBe(before.size)

    const tier = await open()
    await tier.keepOnly({ keys: [], streams: ['lobby'] })
    const second = stageOf(recorded(20, { sound: true }), { tier })
    const archive = second.archives.get(ALL)
    await archive.ready(never)
    const listing = second.past.fetched.length
    expect(await contentOf(archive)).toEqual(before)
    expect(second.past.fetched).toHaveLength(listing)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

describe('a range that grows', () => {
  const NOW_MS = START_MS + 60_000

  /** Recorded up to now, of which the stream shows the newest. */
  function growing(options: StageOptions = {}): Stage {
    const stage = stageOf(recorded(60), { nowMs: NOW_MS, ...options })
    stage.tail.show(
      range(60)
        .slice(-6)
        .map((number) => published(number)),
    )
    return stage
  }

  test('G1: begins with what was recorded and goes on with what is published, without a seam', async () => {
    const { archives, tail } = growing()
    const archive = archives.get({ startMs: START_MS + 30_000, endMs: undefined })
    const first = await archive.ready(never)
    expect(first).toMatchObject({ type: 'EVENT', ended: false, targetDuration: 2 })
    expect(await numbersOf(archive)).toEqual(range(60).slice(30))
    for (const newest of [61, 62]) {
      tail.show(
        range(newest)
          .slice(-6)
          .map((number) => published(number)),
      )
      await nextTurn()
      expect(await numbersOf(archive)).toEqual(range(newest).slice(30))
    }
    const entries = await entriesOf(archive)
    expect(entries.filter(({ discontinuity }) => discontinuity !== undefined)).toEqual([])
    const names = entries.slice(-8).map((entry) => nameOf(entry, 'video').kind)
    expect(names).toEqual([...Array<string>(8).fill('published')])
    expect((await archive.ready(never)).targetDuration).toBe(2)
  })

  test('what the stream still has is not fetched again; later it comes from KVS, compared', async () => {
    const { archives, tail, past } = growing()
    const archive = archives.get({ startMs: START_MS + 50_000, endMs: undefined })
    const [entry] = (await entriesOf(archive)).slice(-1)
    if (entry === undefined) throw new Error('nothing is listed')
    const name = nameOf(entry, 'video')
    const kept = Buffer.from('as it was published')
    tail.bytes.set(1060, kept)
    const fetched = past.fetched.length
    expect(await bytesOf(archive, name)).toBe(kept)
    expect(past.fetched).toHaveLength(fetched)
    tail.bytes.clear()
    // The scripted stream published other bytes than KVS would give.
    await expect(bytesOf(archive, name)).rejects.toMatchObject({ code: 'upstream_unavailable' })
  })

  test('G6: what was sent twice, and KVS keeps under the later number, comes under the earlier one', async () => {
    const { archives, tail, past } = growing()
    const archive = archives.get({ startMs: START_MS + 50_000, endMs: undefined })
    const track = published(60).tracks.video
    if (track === undefined) throw new Error('it has no picture')
    const { baseTicks, init } = track
    const sample = { durationTicks: init.timescale, bytes: 10, isSync: true, compositionTicks: 0 }
    const original = literalFragment(literalInit('avc'), baseTicks, [sample], 60)
    const bytes = rewriteMedia(original, { baseTicks, sequenceNumber: 1060 })
    tail.show([published(60, { tracks: { video: { ...track, id: contentId(bytes) } } })])
    const [entry] = (await entriesOf(archive)).slice(-1)
    if (entry === undefined) throw new Error('nothing is listed')
    // Fragments of the same number modulo 251 are filled alike there.
    past.stored = past.stored.map((one) => (one.number === 60n ? { ...one, number: 311n } : one))
    expect(await bytesOf(archive, nameOf(entry, 'video'))).toEqual(bytes)
  })

  test('G17: names that nobody was told cost one fetch, however many are made up', async () => {
    const { archives, past } = growing()
    const archive = archives.get({ startMs: START_MS + 50_000, endMs: undefined })
    await archive.ready(never)
    const before = past.fetched.length
    for (let i = 0; i < 10; i += 1) {
      const name = { kind: 'published', number: 60n, msn: 1060, baseTicks: i, id: `made-up-${i}` }
      await expect(bytesOf(archive, name as ArchiveName)).rejects.toMatchObject({
        code: 'upstream_unavailable',
      })
    }
    expect(past.fetched.length - before).toBe(1)
  })

  test('a hole that the stream left is filled with what was recorded meanwhile', async () => {
    const { archives, tail, past, clock } = growing()
    const archive = archives.get({ startMs: START_MS + 50_000, endMs: undefined })
    await archive.ready(never)
    past.stored = recorded(90)
    clock.advance(30_000)
    tail.show(
      range(90)
        .slice(-6)
        .map((number) => published(number)),
    )
    for (let i = 0; i < 20; i += 1) await nextTurn()
    expect(await numbersOf(archive)).toEqual(range(90).slice(50))
  })

  test('it ends when its end has passed, also while nothing is published any more', async () => {
    const { archives, tail, clock } = growing()
    const archive = archives.get({ startMs: START_MS + 50_000, endMs: START_MS + 61_000 })
    expect((await archive.ready(never)).ended).toBe(false)
    tail.show(
      range(63)
        .slice(-6)
        .map((number) => published(number)),
    )
    clock.advance(5_000)
    for (let i = 0; i < 5; i += 1) await nextTurn()
    expect((await archive.ready(never)).ended).toBe(true)
    expect(await numbersOf(archive)).toEqual(range(61).slice(50))

    const lost = growing()
    const other = lost.archives.get({ startMs: START_MS + 50_000, endMs: START_MS + 65_000 })
    await other.ready(never)
    for (let i = 0; i < 4; i += 1) {
      lost.clock.advance(10_000)
      for (let turn = 0; turn < 5; turn += 1) await nextTurn()
    }
    expect((await other.ready(never)).ended).toBe(true)
    expect(await numbersOf(other)).toEqual(range(60).slice(50))
  })

  test('a stream that stopped is started for it, and does not keep its past waiting when it is away', async () => {
    const { archives, tail, clock } = stageOf(recorded(60), { nowMs: NOW_MS })
    tail.starts = false
    const listing = archives.get({ startMs: START_MS + 50_000, endMs: undefined }).ready(never)
    await nextTurn()
    clock.advance(3_000)
    await listing
    expect(tail.started).toBe(1)
    expect(await numbersOf(archives.get({ startMs: START_MS + 50_000, endMs: undefined }))).toEqual(
      range(60).slice(50),
    )
  })

  test('what the DVR list holds costs no session, in a closed range as well', async () => {
    const tail = new ScriptedTail(true)
    tail.show(range(60).map((number) => published(number)))
    const { archives, past } = stageOf(recorded(60), { tail, nowMs: NOW_MS })
    const closed = archives.get({ startMs: START_MS + 10_000, endMs: START_MS + 30_000 })
    expect(await numbersOf(closed)).toEqual(range(30).slice(10))
    expect(past.windows).toEqual([])
  })
})

describe('the past of a source that keeps nothing', () => {
  const NOW_MS = START_MS + 60_000

  function held(): Stage {
    const tail = new ScriptedTail(true)
    const segments = range(60)
      .filter((number) => number <= 20 || number > 40)
      .map((number) => published(number, number === 41 ? { discontinuity: 'gap' } : {}))
      .map((segment) =>
        segment.number === 50n ? { ...segment, source: 'slate' as const } : segment,
      )
    tail.show(segments)
    return stageOf([], { tail, nowMs: NOW_MS, isForeign: true })
  }

  test('is what its DVR list holds, over gaps, without slates', async () => {
    const { archives } = held()
    const archive = archives.get({ startMs: START_MS, endMs: START_MS + 60_000 })
    expect(await numbersOf(archive)).toEqual(
      range(60).filter((number) => (number <= 20 || number > 40) && number !== 50),
    )
    const entries = await entriesOf(archive)
    expect(entries.find(({ number }) => number === 41n)?.discontinuity).toBe('gap')
  })

  test('G10: shows itself while the stream does not run, and does not start it', async () => {
    const { archives, tail } = held()
    tail.stop()
    const archive = archives.get({ startMs: START_MS, endMs: START_MS + 10_000 })
    expect(await numbersOf(archive)).toEqual(range(10))
    expect(tail.started).toBe(0)
  })

  test('where it holds nothing, the nearest times are named', async () => {
    const { archives } = held()
    const gap = archives.get({ startMs: START_MS + 25_000, endMs: START_MS + 30_000 })
    await expect(gap.ready(never)).rejects.toMatchObject({
      code: 'no_recording',
      members: {
        nearestBefore: new Date(START_MS + 20_000).toISOString(),
        nearestAfter: new Date(START_MS + 40_000).toISOString(),
      },
    })
  })

  test('bytes are the stream’s own, and gone when they are gone there', async () => {
    const { archives, tail } = held()
    const archive = archives.get({ startMs: START_MS, endMs: START_MS + 10_000 })
    const [entry] = await entriesOf(archive)
    if (entry === undefined) throw new Error('nothing is listed')
    tail.bytes.set(1001, Buffer.from('kept'))
    expect(String(await bytesOf(archive, nameOf(entry, 'video')))).toBe('kept')
    tail.bytes.clear()
    await expect(bytesOf(archive, nameOf(entry, 'video'))).rejects.toMatchObject({
      code: 'segment_gone',
    })
  })
})

describe('the ranges of a stream', () => {
  test.each([
    ['begins in the future', { startMs: START_MS + 25 * HOUR_MS, endMs: undefined }, /future/],
    ['ends before it begins', { startMs: START_MS, endMs: START_MS }, /not after the start/],
    ['is too long', { startMs: START_MS - 7 * 24 * HOUR_MS, endMs: START_MS + 1 }, /longer than/],
  ])('one that %s is refused before anything is asked', (_, asked, message) => {
    const { archives, past } = stageOf(recorded(5))
    expect(() => archives.get(asked)).toThrow(message)
    expect([past.windows, past.listed, archives.size]).toEqual([[], 0, 0])
  })

  test('G18: are bounded, and the one that nobody watches makes room', async () => {
    const { archives, clock } = stageOf(recorded(6))
    const at = (i: number): ArchiveRange => ({ startMs: START_MS + i, endMs: START_MS + HOUR_MS })
    for (let i = 0; i < PLACES; i += 1) await archives.get(at(i)).ready(never)
    expect(() => archives.get(at(PLACES))).toThrow(expect.objectContaining({ code: 'overloaded' }))
    clock.advance(30_000)
    await archives.get(at(PLACES)).ready(never)
    expect(archives.size).toBe(PLACES)
    clock.advance(300_000)
    for (let i = 0; i < 5; i += 1) await nextTurn()
    clock.advance(30_000)
    for (let i = 0; i < 5; i += 1) await nextTurn()
    expect(archives.size).toBe(0)
  })

  test('G18: one client who takes all places makes room for others', async () => {
    const { archives } = stageOf(recorded(6))
    const at = (i: number): ArchiveRange => ({ startMs: START_MS + i, endMs: START_MS + HOUR_MS })
    for (let i = 0; i < PLACES; i += 1) await archives.get(at(i), 'greedy').ready(never)
    const others: Archive[] = []
    for (let i = 0; i < 12; i += 1) {
      const other = archives.get(at(200 + i), `viewer ${i}`)
      await other.ready(never)
      others.push(other)
    }
    expect(archives.size).toBe(PLACES)
    // Those of the others stay.
    for (const [i, other] of others.entries()) expect(archives.get(at(200 + i), '')).toBe(other)
    expect(() => archives.get(at(500), 'greedy')).toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    )
  })

  test('G18: all streams together list so many segments, and the list used longest ago goes', async () => {
    const room = new ListRoom(100)
    const [lobby, garage] = [stageOf(recorded(60), { room }), stageOf(recorded(60), { room })]
    await lobby.archives.get(ALL).ready(never)
    expect([lobby.archives.size, garage.archives.size]).toEqual([1, 0])
    await garage.archives.get(ALL).ready(never)
    expect([lobby.archives.size, garage.archives.size]).toEqual([0, 1])
    await lobby.archives.get(ALL).ready(never)
    expect([lobby.archives.size, garage.archives.size]).toEqual([1, 0])
  })

  test('G17: what is known to be empty is not looked into again, for a minute', async () => {
    const { archives, past, clock } = stageOf(recorded(60))
    const ask = async (startMs: number, seconds = 60): Promise<unknown> => {
      const error: unknown = await archives
        .get({ startMs, endMs: startMs + seconds * 1000 })
        .ready(never)
        .catch((reason: unknown) => reason)
      return error instanceof GatewayError ? [error.code, error.members] : error
    }
    const before = START_MS - 5 * HOUR_MS
    const told = await ask(before)
    expect(told).toMatchObject(['no_recording', { nearestAfter: '2026-01-01T00:00:00.000Z' }])
    const [sessions, looks] = [past.windows.length, past.listed]
    for (let i = 1; i < 40; i += 1) expect(await ask(before + i, 30)).toEqual(told)
    expect(await ask(START_MS - 60_000, 60)).toEqual(told)
    expect([past.windows.length, past.listed]).toEqual([sessions, looks])
    // What came late is found.
    past.stored = [{ number: 99n, dateMs: before + 10_000, tracks: 1 }, ...past.stored]
    clock.advance(61_000)
    expect(await ask(before + 50)).toMatchObject({ renditions: ['video'] })
  })

  test('G17: ranges that hold nothing are looked around for six times a minute', async () => {
    const { archives, past, clock } = stageOf([], { nowMs: START_MS })
    const ask = (years: number): Promise<unknown> => {
      const startMs = START_MS - years * 365 * 24 * HOUR_MS
      return archives
        .get({ startMs, endMs: startMs + 1000 })
        .ready(never)
        .catch(() => {})
    }
    for (let i = 1; i <= 30; i += 1) await ask(i)
    const looks = past.listed
    expect(looks).toBeLessThanOrEqual(6 * 26 + 30)
    clock.advance(61_000)
    await ask(1)
    expect(past.listed).toBeGreaterThan(looks)
  })

  test('G17: four are listed at a time for one client, five for all; others wait, and those that failed keep no place', async () => {
    const { archives, past } = stageOf(recorded(60))
    const open = past.open.bind(past)
    const gate = Promise.withResolvers<void>()
    let opened = 0
    past.open = async (window) => {
      opened += 1
      await gate.promise
      return open(window)
    }
    const at = (i: number): ArchiveRange => ({ startMs: START_MS + i, endMs: START_MS + HOUR_MS })
    const asked = [0, 1, 2, 3, 4, 5].map((i) => archives.get(at(i)).ready(never))
    await nextTurn()
    expect(opened).toBe(4)
    // One place is kept for those who have none.
    asked.push(archives.get(at(6), 'another client').ready(never))
    asked.push(archives.get(at(7), 'a third one').ready(never))
    await nextTurn()
    expect(opened).toBe(5)
    gate.resolve()
    expect(await Promise.all(asked)).toHaveLength(8)

    const failing = stageOf([])
    for (let i = 0; i < 40; i += 1) {
      await expect(failing.archives.get(at(i)).ready(never)).rejects.toMatchObject({
        code: 'no_recording',
      })
    }
    expect(failing.archives.size).toBe(1)
  })
})
