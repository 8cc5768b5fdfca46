import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBoxes } from '../../../src/formats/mp4/boxes/box.ts'
import { type InitFacts, readInit } from '../../../src/formats/mp4/init.ts'
import { type MediaFacts, readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { rewriteMedia } from '../../../src/formats/mp4/rewrite.ts'
import { box, CLIPS, type ClipName, readClip, readMuxed, withShortTfdt } from '../../support/mp4.ts'

function readAll(name: ClipName): MediaFacts[] {
  const { init, fragments } = readClip(name)
  const facts = readInit(init)
  return fragments.map((fragment) => readMedia(fragment, facts))
}

/** As ffprobe -show_packets has them: 15 frames of 1024/15360 s to a second. */
const SECONDS = [0, 1, 2, 3].map((second) => ({
  baseTicks: second * 15_360,
  durationTicks: 15_360,
  samples: 15,
  steps: {
    lastTicks: 1024,
    shortestTicks: 1024,
    longestTicks: 1024,
    shrinkableTicks: expect.any(Number) as unknown,
  },
  startsWithSync: true,
}))

describe('times, samples and keyframes', () => {
  test.each(['avc', 'avc-dash', 'avc-base-offset', 'avc-multi', 'hevc'] as const)('%s', (name) => {
    const { steps: _, ...second } = SECONDS[1] ?? {}
    const isOneRun = name !== 'avc-multi'
    expect(readAll(name).slice(1)).toEqual(
      isOneRun ? SECONDS.slice(1) : [1, 2, 3].map((i) => ({ ...second, baseTicks: i * 15_360 })),
    )
    expect(readAll(name)[0]?.baseTicks).toBe(0)
  })

  test('avc-bframes: decode order lets each fragment end where the next begins', () => {
    const facts = readAll('avc-bframes')
    expect(facts.map(({ samples, startsWithSync }) => [samples, startsWithSync])).toEqual(
      Array(4).fill([15, true]),
    )
    for (const [i, { baseTicks }] of facts.entries()) {
      const previous = facts[i - 1]
      if (previous !== undefined) {
        expect(baseTicks).toBe(previous.baseTicks + previous.durationTicks)
      }
    }
  })

  test('aac: whole frames', () => {
    const facts = readAll('aac')
    for (const { samples, durationTicks, startsWithSync } of facts.slice(0, -1)) {
      expect(durationTicks).toBe(samples * 1024)
      expect(startsWithSync).toBe(true)
    }
  })
})

const { init, fragments } = readClip('avc')
const facts = readInit(init)
const fragment = fragments[1] ?? init

function changed(edit: (bytes: Buffer) => void, source = fragment): Buffer {
  const bytes = Buffer.from(source)
  edit(bytes)
  return bytes
}

/** Where the named box's payload begins. */
function payload(bytes: Buffer, type: string): number {
  return bytes.indexOf(type) + 4
}

test('a 32-bit tfdt is read as well', () => {
  expect(readMedia(withShortTfdt(fragment, 4_000_000_000), facts).baseTicks).toBe(4_000_000_000)
})

test('boxes that other muxers put before the moof pass', () => {
  const others = ['styp', 'sidx', 'prft', 'emsg', 'free'].map((type) => box(type))
  expect(readMedia(Buffer.concat([...others, fragment]), facts)).toEqual(SECONDS[1])
})

test('boxes that we do not ask about never reach mp4box', () => {
  // An sgpd box of version 0 whose 2^32 - 1 entries need no bytes: mp4box would make them all.
  const bomb = box('sgpd', Buffer.from('0000000078787878ffffffff', 'hex'))
  const bytes = Buffer.concat([fragment.subarray(0, 24), bomb, fragment.subarray(24)])
  bytes.writeUInt32BE(fragment.readUInt32BE(0) + bomb.length, 0)
  const offsetAt = payload(bytes, 'trun') + 8
  bytes.writeInt32BE(bytes.readInt32BE(offsetAt) + bomb.length, offsetAt)
  expect(readMedia(bytes, facts)).toEqual(SECONDS[1])
})

test('defaults may come from the init segment alone', () => {
  const sizes = fragment.indexOf('trun')
  const count = fragment.readUInt32BE(sizes + 8)
  const sampleDefaults = { duration: 1000, size: 10, flags: 0x10000 }
  const bytes = bareFragment(count)
  expect(readMedia(bytes, { ...facts, sampleDefaults })).toEqual({
    baseTicks: 0,
    durationTicks: count * 1000,
    samples: count,
    startsWithSync: false,
  })
})

/** No defaults in tfhd, no fields per sample in trun. */
function bareFragment(count: number): Buffer {
  const u32 = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4)
    for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4)
    return bytes
  }
  const moofOf = (dataOffset: number): Buffer =>
    box(
      'moof',
      Buffer.concat([
        box('mfhd', u32(0, 1)),
        box(
          'traf',
          Buffer.concat([
            box('tfhd', u32(0x20000, 1)),
            box('tfdt', u32(0, 0)),
            box('trun', u32(1, count, dataOffset)),
          ]),
        ),
      ]),
    )
  return Buffer.concat([moofOf(moofOf(0).length + 8), box('mdat', Buffer.alloc(count * 10))])
}

describe('G12: what is not whole, or not of this track, is refused', () => {
  const refused: [string, Buffer, RegExp][] = [
    ['nothing', Buffer.alloc(0), /pairs of moof and mdat/],
    ['an error page', Buffer.from('<html><body>Bad gateway</body></html>'), /box at 0/],
    ['an init segment', init, /pairs|expected moof/],
    ['a cut body', fragment.subarray(0, -1), /mdat box at \d+ of \d+ bytes runs past/],
    ['a moof without its mdat', fragment.subarray(0, fragment.readUInt32BE(0)), /pairs/],
    ['something between moof and mdat that offsets do not know of', detached(), /outside/],
    ['another track', changed((b) => b.writeUInt32BE(2, payload(b, 'tfhd') + 4)), /track 2/],
    [
      'a huge sample count',
      changed((b) => b.fill(0xff, payload(b, 'trun') + 4, payload(b, 'trun') + 8)),
      /trun box at \d+ has/,
    ],
    [
      'a huge count of samples without fields',
      bareFragment(1).fill(0xff, 76, 80),
      /samples in one moof/,
    ],
    [
      'samples outside the mdat',
      changed((b) => b.writeInt32BE(9, payload(b, 'trun') + 8)),
      /outside/,
    ],
    [
      'samples that run past the mdat',
      changed((b) => {
        const at = payload(b, 'trun') + 8
        b.writeInt32BE(b.readInt32BE(at) + 1, at)
      }),
      /outside/,
    ],
    ['no duration', bareFragment(3), /fragment of 0 s/],
    ['a version of tfdt to come', changed((b) => b.writeUInt8(2, payload(b, 'tfdt'))), /version 2/],
    [
      'a time beyond counting',
      changed((b) => b.fill(0x7f, payload(b, 'tfdt') + 4, payload(b, 'tfdt') + 12)),
      /2\^53/,
    ],
    ['no tfdt', changed((b) => b.write('free', b.indexOf('tfdt'))), /one tfdt/],
    ['encryption', changed((b) => b.write('senc', b.indexOf('tfdt'))), /encrypted/],
    ['two tracks', readMuxed('muxed').media, /2 tracks/],
    [
      'chunks with a hole between them',
      Buffer.concat([fragments[0] ?? init, fragments[2] ?? init]),
      /step of 1 s/,
    ],
  ]
  test.each(refused)('%s', (_, bytes, message) => {
    expect(() => readMedia(bytes, facts)).toThrow(Mp4Error)
    expect(() => readMedia(bytes, facts)).toThrow(message)
  })

  test('a fragment of more than two minutes', () => {
    const slow: InitFacts = { ...facts, timescale: 100 }
    expect(() => readMedia(fragment, slow)).toThrow(/fragment of 153.6 s/)
  })
})

function detached(): Buffer {
  const moofSize = fragment.readUInt32BE(0)
  return Buffer.concat([fragment.subarray(0, moofSize), box('free'), fragment.subarray(moofSize)])
}

test('G12: truncated or flipped, it is facts or an Mp4Error, never anything else', () => {
  const clips = CLIPS.map(readClip).map((clip) => ({
    init: readInit(clip.init),
    bytes: clip.fragments[1] ?? init,
  }))
  const flips = fc.array(fc.tuple(fc.nat(700), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
  fc.assert(
    fc.property(fc.constantFrom(...clips), flips, fc.nat(3000), (clip, changes, length) => {
      const bytes = Buffer.from(clip.bytes)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      for (const candidate of [bytes, bytes.subarray(0, length)]) {
        try {
          const { durationTicks, samples } = readMedia(candidate, clip.init)
          expect(durationTicks / clip.init.timescale).toBeLessThanOrEqual(120)
          expect(samples).toBeGreaterThan(0)
          const rewritten = rewriteMedia(candidate, { baseTicks: 0, sequenceNumber: 1 })
          expect(readBoxes(rewritten).at(-1)?.type).toBe('mdat')
        } catch (error) {
          if (!(error instanceof Mp4Error)) throw error
        }
      }
    }),
    { numRuns: 500 },
  )
})
