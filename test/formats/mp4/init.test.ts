import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { box, CLIPS, type ClipName, readClip } from '../../support/mp4.ts'

const video = { rendition: 'video', trackId: 1, video: { width: 128, height: 72 } }

const EXPECTED: Record<ClipName, object> = {
  avc: { ...video, codec: 'avc1.64000a', timescale: 15360 },
  'avc-bframes': { ...video, codec: 'avc1.64000a', timescale: 15360 },
  'avc-dash': { ...video, codec: 'avc1.64000a', timescale: 15360 },
  'avc-base-offset': { ...video, codec: 'avc1.64000a', timescale: 15360 },
  'avc-multi': { ...video, codec: 'avc1.64000a', timescale: 15360 },
  hevc: { ...video, codec: 'hvc1.1.6.L30.90', timescale: 15360 },
  aac: {
    rendition: 'audio',
    trackId: 1,
    codec: 'mp4a.40.2',
    timescale: 48_000,
    audio: { channels: 1, sampleRate: 48_000 },
  },
}

test.each(CLIPS)('%s: codec, timescale, size or channels', (name) => {
  expect(readInit(readClip(name).init)).toMatchObject(EXPECTED[name])
})

test('the id names the content', () => {
  const { init } = readClip('avc')
  const changed = Buffer.from(init)
  changed.writeUInt8(1, changed.indexOf('mvhd') + 11)
  expect(readInit(init).id).toMatch(/^[0-9a-f]{12}$/)
  expect(readInit(Buffer.from(init)).id).toBe(readInit(init).id)
  expect(readInit(changed).id).not.toBe(readInit(init).id)
})

function replace(init: Buffer, from: string, to: string): Buffer {
  const changed = Buffer.from(init)
  changed.write(to, changed.indexOf(from), 'latin1')
  return changed
}

test('avc3 and hev1, with parameter sets in band, are told apart by the codec string', () => {
  expect(readInit(replace(readClip('avc').init, 'avc1', 'avc3')).codec).toBe('avc3.64000a')
  expect(readInit(replace(readClip('hevc').init, 'hvc1', 'hev1')).codec).toMatch(/^hev1\./)
})

/** AC-3 of a front pair and low frequencies; E-AC-3 of 5.1, and of 7.1 by a dependent substream. */
const [DAC3, DEC3, DEC3_MORE] = ['101540', '0c00200f00', '0c00200f0202']

test.each([
  ['ac-3', 'dac3', DAC3, 3],
  ['ec-3', 'dec3', DEC3, 6],
  ['ec-3', 'dec3', DEC3_MORE, 8],
] as const)(
  '%s has the channels that its configuration says: %s %s',
  (name, type, hex, channels) => {
    const { init } = readClip('aac')
    const at = init.indexOf('esds') - 4
    const config = box(type, Buffer.from(hex, 'hex'))
    // In the room of the other one.
    const rest = box('free', Buffer.alloc(init.readUInt32BE(at) - config.length - 8))
    const named = replace(init, 'mp4a', name)
    Buffer.concat([config, rest]).copy(named, at)
    expect(readInit(named)).toMatchObject({ codec: name, audio: { channels } })
  },
)

test.each([
  ['Opus', 'dOps'],
  ['fLaC', 'dfLa'],
])('%s passes by its name, if a decoder is told how', (name, configuration) => {
  const named = replace(readClip('aac').init, 'mp4a', name)
  expect(() => readInit(named)).toThrow(/configures no decoder/)
  const { codec, rendition, audio } = readInit(replace(named, 'esds', configuration))
  // The entry's own count, which the template of MP4 has made 2 of AAC's one.
  const expected = { channels: 2, sampleRate: 48_000 }
  expect({ codec, rendition, audio }).toEqual({ codec: name, rendition: 'audio', audio: expected })
})

test('other codecs are unsupported, and the message says so', () => {
  const vp9 = replace(readClip('avc').init, 'avc1', 'vp09')
  expect(() => readInit(vp9)).toThrow(/vp09 box at \d+: expected H.264, HEVC, AAC, .* or Opus$/)
})

test('a media fragment, a missing moov and something behind it are no init segment', () => {
  const { init, fragments } = readClip('avc')
  const ftyp = init.subarray(0, init.readUInt32BE(0))
  for (const bytes of [
    fragments[0] ?? init,
    ftyp,
    Buffer.concat([init, box('moov')]),
    box('ftyp'),
  ]) {
    expect(() => readInit(bytes)).toThrow(/an init segment is an ftyp and a moov box/)
  }
})

test('a movie that is not fragmented is unsupported', () => {
  expect(() => readInit(replace(readClip('avc').init, 'mvex', 'free'))).toThrow(/without fragments/)
})

test('a huge sample table is refused before anything is allocated', () => {
  const init = Buffer.from(readClip('avc').init)
  init.writeUInt32BE(0xffffffff, init.indexOf('stts') + 8)
  expect(() => readInit(init)).toThrow(/stts box at \d+ lists samples/)
})

/** An sgpd box of version 0 whose 2^32 - 1 entries need no bytes: mp4box would make them all. */
const bomb = box('sgpd', Buffer.from('00000000' + '78787878' + 'ffffffff', 'hex'))

test('boxes that we do not ask about never reach mp4box', () => {
  const { init } = readClip('avc')
  const ftyp = init.subarray(0, init.readUInt32BE(0))
  let nest = bomb
  for (let i = 0; i < 2000; i++) nest = box('edts', nest)
  const moov = box('moov', Buffer.concat([init.subarray(ftyp.length + 8), bomb, nest]))
  expect(readInit(Buffer.concat([ftyp, moov])).codec).toBe('avc1.64000a')
})

test('G12: truncated or flipped, it is facts or an Mp4Error, never anything else', () => {
  const source = fc.constantFrom(...CLIPS.map((name) => readClip(name).init))
  const flips = fc.array(fc.tuple(fc.nat(800), fc.integer({ min: 0, max: 255 })), { maxLength: 3 })
  fc.assert(
    fc.property(source, flips, fc.nat(1000), (init, changes, length) => {
      const bytes = Buffer.from(init)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      for (const candidate of [bytes, bytes.subarray(0, length)]) {
        try {
          readInit(candidate)
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }
    }),
    { numRuns: 400 },
  )
})
