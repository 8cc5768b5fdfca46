import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPackedAudio } from '../../src/formats/aac/packed-audio.ts'
import { entryOf } from '../../src/formats/mp4/entry.ts'
import { type InitFacts, readInit } from '../../src/formats/mp4/init.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../src/formats/mp4/mp4-error.ts'
import { ownHeadEnd, ownMedia } from '../../src/formats/mp4/own-form.ts'
import { ownInit } from '../../src/formats/mp4/own-init.ts'
import { preferHvc1 } from '../../src/formats/mp4/prefer-hvc1.ts'
import { ProgressiveMovie } from '../../src/formats/mp4/progressive/progressive-movie.ts'
import { readMovie } from '../../src/formats/mp4/read-movie.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { splitInit, splitMedia } from '../../src/formats/mp4/split.ts'
import { lengthPrefixed, readAnnexB, readLengthPrefixed } from '../../src/formats/nal/annex-b.ts'
import { randomAccessOf } from '../../src/formats/nal/random-access.ts'
import { CLIPS, MUXED, readClip, readMuxed } from '../support/mp4.ts'
import { looseSamples, PACKINGS, pack, withTimescale } from '../support/odd-packer.ts'

/**
 * Damage of all inputs that the tests know. A reader refuses with its own error or gives something, soon and of a
 * size that the input explains. Some hundred runs each; FUZZ_SECONDS=600 goes on for ten minutes.
 */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0)
const RUNS = 400
/** CPU time that no reader needs for a few kilobytes. */
const MOST_CPU_US = 2_000_000

const inits = [
  ...CLIPS.map((name) => readClip(name).init),
  ...MUXED.map((name) => readMuxed(name).init),
]
const fragments = [
  ...CLIPS.flatMap((name) => readClip(name).fragments.slice(0, 2)),
  ...MUXED.map((name) => readMuxed(name).media),
  ...PACKINGS.map(([, packing]) => pack(looseSamples('avc-bframes', 0), packing)),
  pack(looseSamples('aac', 1, { timescale: 10_000_000, shiftTicks: 17_672_256_000_000_000n })),
]
const facts = [
  ...CLIPS.map((name) => readInit(readClip(name).init)),
  ...MUXED.flatMap((name) => splitInit(readMuxed(name).init).map((init) => readInit(init))),
  readInit(ownInit(withTimescale(readClip('aac').init, 10_000_000))),
]

/** Bytes changed, runs removed, doubled or moved, the end cut off; big words where counts and sizes are. */
const edit = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant('word' as const),
    at: fc.nat(),
    value: fc.constantFrom(0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0x00ffffff),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.constant(0) }),
  fc.record({
    kind: fc.constant('remove' as const),
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 64 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.nat(),
    value: fc.integer({ min: 1, max: 512 }),
  }),
)
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** Most of what matters stands at the front. */
function placeIn(bytes: Buffer, at: number): number {
  return at % Math.max(1, at % 3 === 0 ? bytes.length : Math.min(bytes.length, 1_500))
}

function damaged(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let now = Buffer.from(bytes)
  for (const { kind, at, value } of edits) {
    const place = placeIn(now, at)
    if (kind === 'byte' && now.length > 0) now.writeUInt8(value, place)
    if (kind === 'word' && place + 4 <= now.length) now.writeUInt32BE(value, place)
    if (kind === 'cut') now = now.subarray(0, place)
    if (kind === 'remove')
      now = Buffer.concat([now.subarray(0, place), now.subarray(place + value)])
    if (kind === 'repeat')
      now = Buffer.concat([now.subarray(0, place + value), now.subarray(place)])
  }
  return now
}

function orRefused<T>(read: () => T): T | undefined {
  const began = process.cpuUsage()
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Mp4Error)) throw error
    return undefined
  } finally {
    const { user, system } = process.cpuUsage(began)
    expect(user + system).toBeLessThan(MOST_CPU_US)
  }
}

function readAsInit(bytes: Buffer): void {
  for (const one of orRefused(() => splitInit(bytes)) ?? []) {
    const own = orRefused(() => preferHvc1(ownInit(one)))
    if (own === undefined) continue
    expect(own.length).toBeLessThan(bytes.length + 512)
    orRefused(() => readInit(own))
  }
}

function readAsMedia(bytes: Buffer, init: InitFacts, initBytes: Buffer): void {
  orRefused(() => ownHeadEnd(bytes, bytes.length, init))
  for (const one of [bytes, orRefused(() => splitMedia(bytes, init))]) {
    const own = one === undefined ? undefined : orRefused(() => ownMedia(one, init))
    const read = own === undefined ? undefined : orRefused(() => readMedia(own, init))
    if (own === undefined || read === undefined) continue
    // A sample without data may have been a few bits, and becomes a row of 16 bytes.
    expect(own.length).toBeLessThan(17 * bytes.length + 16 * 100_000)
    orRefused(() => entryOf({ initBytes, bytes: own }, init))
    const place = { baseTicks: 2 ** 46, sequenceNumber: 1 }
    for (const more of [0, 90, -90]) {
      const durationTicks = read.durationTicks + more
      const again = orRefused(() => rewriteMedia(own, { ...place, durationTicks }))
      if (again !== undefined) expect(again.length).toBeLessThan(2 * own.length + 16 * 100_000)
    }
    const movie = new ProgressiveMovie({ createdMs: 0, maxSeconds: 3_600 })
    orRefused(() => {
      movie.add([{ init, initBytes, bytes: own }])
      movie.finish()
    })
  }
}

function readAsStream(bytes: Buffer): void {
  orRefused(() => readPackedAudio(bytes))
  const units = orRefused(() => [...readAnnexB(bytes)].map(({ data }) => data)) ?? []
  if (units.length > 0) expect([...readLengthPrefixed(lengthPrefixed(units), 4)]).toEqual(units)
  for (const codec of ['avc', 'hevc'] as const) {
    orRefused(() => randomAccessOf(codec, readLengthPrefixed(bytes, 4)))
    orRefused(() => randomAccessOf(codec, units))
  }
}

describe('G12: whatever the bytes, it is something or a refusal, soon', () => {
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 })
  const limit =
    SECONDS === 0
      ? { numRuns: RUNS, endOnFailure: true }
      : {
          numRuns: 1e9,
          interruptAfterTimeLimit: (SECONDS * 1000) / 4,
          markInterruptAsFailure: false,
        }
  const timeout = SECONDS * 1000 + 120_000

  test('init segments', { timeout }, () => {
    fc.assert(
      fc.property(fc.nat(inits.length - 1), edits, (which, changes) => {
        readAsInit(damaged(inits[which] ?? Buffer.alloc(0), changes))
      }),
      limit,
    )
  })

  test('fragments', { timeout }, () => {
    const pick = fc.tuple(fc.nat(fragments.length - 1), fc.nat(facts.length - 1))
    fc.assert(
      fc.property(pick, edits, ([which, whose], changes) => {
        const init = facts[whose]
        if (init === undefined) return
        readAsMedia(
          damaged(fragments[which] ?? Buffer.alloc(0), changes),
          init,
          inits[0] ?? Buffer.alloc(0),
        )
      }),
      limit,
    )
  })

  test('whole files, as slates', { timeout }, () => {
    const movies = CLIPS.map((name) => {
      const { init, fragments } = readClip(name)
      return Buffer.concat([init, ...fragments])
    })
    const slates = ['avc-640x360', 'hevc-640x360'].map((name) =>
      readFileSync(new URL(`../../src/slate/pictures/${name}.mp4`, import.meta.url)),
    )
    const all = [...movies, ...slates]
    for (const bytes of all) expect(orRefused(() => readMovie(bytes))).toBeDefined()
    fc.assert(
      fc.property(fc.nat(all.length - 1), edits, (which, changes) => {
        const bytes = damaged(all[which] ?? Buffer.alloc(0), changes)
        const movie = orRefused(() => readMovie(bytes))
        for (const track of [movie?.video, movie?.audio]) {
          expect(track?.samples.length ?? 0).toBeLessThanOrEqual(100_000)
        }
      }),
      limit,
    )
  })

  test('frames and units', { timeout }, () => {
    fc.assert(
      fc.property(fc.nat(fragments.length - 1), edits, fc.nat(2_000), (which, changes, from) => {
        const start = Buffer.from([0, 0, 1])
        const bytes = damaged(fragments[which] ?? Buffer.alloc(0), changes).subarray(from)
        readAsStream(bytes)
        readAsStream(Buffer.concat([start, bytes, start, bytes.subarray(0, 40)]))
        readAsStream(Buffer.concat([Buffer.from([0xff, 0xf1, 0x4c, 0x80]), bytes]))
      }),
      limit,
    )
  })
})
