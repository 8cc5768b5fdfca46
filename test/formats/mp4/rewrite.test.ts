import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Box, payloadStart, readBoxes } from '../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { findFirstMdat } from '../../../src/formats/mp4/media-structure.ts'
import { rewriteHead, rewriteMedia } from '../../../src/formats/mp4/rewrite.ts'
import { box, CLIPS, type ClipName, mediaData, readClip, withShortTfdt } from '../../support/mp4.ts'

/** 2026-01-01 in ticks of 15,360 to the second. */
const EPOCH_TICKS = (Date.UTC(2026, 0, 1) / 1000) * 15_360

const anyClip = fc.constantFrom(...CLIPS)
const anyBase = fc.integer({ min: 0, max: 2 ** 53 - 2 ** 30 })
const anySequence = fc.integer({ min: 0, max: 2 ** 33 })

function second(name: ClipName): Buffer {
  const [, fragment] = readClip(name).fragments
  if (fragment === undefined) throw new Error(`${name} has one fragment`)
  return fragment
}

test('only the place changes: samples, durations and data stay', () => {
  fc.assert(
    fc.property(anyClip, anyBase, anySequence, (name, baseTicks, sequenceNumber) => {
      const init = readInit(readClip(name).init)
      const before = second(name)
      const after = rewriteMedia(before, { baseTicks, sequenceNumber })
      expect(readMedia(after, init)).toEqual({ ...readMedia(before, init), baseTicks })
      expect(mediaData(after).equals(mediaData(before))).toBe(true)
    }),
  )
})

test('rewriting twice is rewriting once', () => {
  fc.assert(
    fc.property(anyClip, anyBase, anyBase, (name, first, last) => {
      const once = rewriteMedia(second(name), { baseTicks: last, sequenceNumber: 1 })
      const through = rewriteMedia(second(name), { baseTicks: first, sequenceNumber: 9 })
      const twice = rewriteMedia(through, { baseTicks: last, sequenceNumber: 1 })
      expect(twice.equals(once)).toBe(true)
    }),
  )
})

test('a tfdt that grows moves the data offsets along', () => {
  const short = withShortTfdt(second('avc'), 7)
  const long = rewriteMedia(short, { baseTicks: EPOCH_TICKS, sequenceNumber: 1 })
  expect(long.length).toBe(short.length + 4)
  expect(readMedia(long, readInit(readClip('avc').init)).baseTicks).toBe(EPOCH_TICKS)
  expect(mediaData(long).equals(mediaData(short))).toBe(true)
})

test('base_data_offset, a place in a file of the past, becomes default-base-is-moof', () => {
  const rewritten = rewriteMedia(second('avc-base-offset'), { baseTicks: 0, sequenceNumber: 1 })
  expect(rewritten.length).toBe(second('avc-base-offset').length - 8)
  const flags = rewritten.readUIntBE(rewritten.indexOf('tfhd') + 5, 3)
  expect(flags & 0x20001).toBe(0x20000)
})

test('styp stays; sidx, prft and emsg go', () => {
  const others = ['styp', 'sidx', 'prft', 'emsg'].map((type) => box(type, Buffer.alloc(4)))
  const bytes = Buffer.concat([...others, second('avc')])
  const rewritten = rewriteMedia(bytes, { baseTicks: 0, sequenceNumber: 1 })
  expect(readBoxes(rewritten).map(({ type }) => type)).toEqual(['styp', 'moof', 'mdat'])
})

test('each moof of a fragment counts on', () => {
  const bytes = rewriteMedia(second('avc-multi'), { baseTicks: 0, sequenceNumber: 2 ** 32 - 2 })
  const numbers = readBoxes(bytes)
    .filter(({ type }) => type === 'moof')
    .map((moof) => bytes.readUInt32BE(payloadStart(moof) + 12))
  expect(numbers).toEqual([2 ** 32 - 2, 2 ** 32 - 1, 0, 1, 2])
})

test('the result has a buffer of its own, of exactly its size', () => {
  const rewritten = rewriteMedia(second('avc'), { baseTicks: 0, sequenceNumber: 1 })
  expect(rewritten.buffer.byteLength).toBe(rewritten.length)
})

test('a time that is none is refused', () => {
  for (const baseTicks of [-1, 0.5, 2 ** 53, Number.NaN]) {
    expect(() => rewriteMedia(second('avc'), { baseTicks, sequenceNumber: 1 })).toThrow(RangeError)
  }
})

/** The first mdat box of whole or cut bytes. */
function firstMdat(bytes: Buffer): Box | undefined {
  const mdat = findFirstMdat(bytes)
  if (mdat === 'none') throw new Error('no plain fragment')
  return mdat
}

describe('the head alone, while the media data arrive', () => {
  const place = { baseTicks: EPOCH_TICKS, sequenceNumber: 5 }

  test('head and untouched media data make the same bytes as the whole', () => {
    for (const name of CLIPS.filter((clip) => clip !== 'avc-multi')) {
      const fragment = second(name)
      const mdat = firstMdat(fragment)
      const at = mdat === undefined ? 0 : payloadStart(mdat)
      const head = rewriteHead(fragment.subarray(0, at), place)
      const whole = rewriteMedia(fragment, place)
      expect(Buffer.concat([head, fragment.subarray(at)]).equals(whole)).toBe(true)
    }
  })

  test('it is known as soon as the mdat box’s header is there, and not before', () => {
    const fragment = second('avc')
    const mdatStart = fragment.readUInt32BE(0)
    expect(findFirstMdat(fragment.subarray(0, mdatStart + 7))).toBeUndefined()
    expect(firstMdat(fragment.subarray(0, mdatStart + 8))?.start).toBe(mdatStart)
    expect(findFirstMdat(Buffer.from('<html><body>oh'))).toBe('none')
    expect(() => rewriteHead(fragment.subarray(0, mdatStart), place)).toThrow(/head ends/)
  })
})

describe('ffmpeg judges', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rewrite-'))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  /** The decoded frames’ checksums, without their times. Throws on any warning. */
  function frames(name: string, bytes: Buffer): string[] {
    const file = join(folder, `${name}.mp4`)
    writeFileSync(file, bytes)
    const options = ['-v', 'warning', '-i', file, '-f', 'framemd5', '-']
    const out = execFileSync('ffmpeg', options, { encoding: 'utf8', stdio: 'pipe' })
    return out.split('\n').flatMap((line) => (line.startsWith('#') ? [] : line.split(',').slice(5)))
  }

  test.each(CLIPS)('%s: rewritten, it decodes to the same frames without a warning', (name) => {
    const { init, fragments } = readClip(name)
    const facts = readInit(init)
    const rewritten = fragments.map((fragment, i) => {
      const baseTicks = EPOCH_TICKS + readMedia(fragment, facts).baseTicks
      return rewriteMedia(fragment, { baseTicks, sequenceNumber: i + 1 })
    })
    const before = frames(`${name}-before`, Buffer.concat([init, ...fragments]))
    expect(before.length).toBeGreaterThanOrEqual(60)
    expect(frames(`${name}-after`, Buffer.concat([init, ...rewritten]))).toEqual(before)
  })
})
