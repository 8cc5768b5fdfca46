import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { endOf, readBoxes, readChildren, theOnly } from '../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { splitInit, splitMedia } from '../../../src/formats/mp4/split.ts'
import { box, readClip } from '../../support/mp4.ts'
import { withInMoov } from '../../support/odd-packer.ts'
import { complaints, encode, probePackets } from '../../support/packets.ts'
import { hasTool } from '../../support/tools.ts'

/** How muxers lay two tracks out: ffmpeg's movflags. */
const LAYOUTS = [
  'default_base_moof',
  // Each moof has one track, in turns.
  'separate_moof+default_base_moof',
  'cmaf',
  // With base_data_offset, which counts from the start of the file.
  'negative_cts_offsets',
  // Neither of the above: the second track's data follow on from the first one's.
  'omit_tfhd_offset',
] as const

interface Muxed {
  readonly init: Buffer
  readonly media: Buffer
}

async function mux(flags: string): Promise<Muxed> {
  const codecs = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac']
  const movflags = `frag_keyframe+empty_moov+${flags}`
  const file = await encode(2, ...codecs, '-movflags', movflags, '-f', 'mp4')
  const boxes = readBoxes(file).filter(({ type }) => type !== 'mfra')
  const moov = theOnly(boxes, 'moov', 'file')
  const last = boxes.at(-1)
  if (last === undefined) throw new Error('an empty file')
  return { init: file.subarray(0, endOf(moov)), media: file.subarray(endOf(moov), endOf(last)) }
}

describe.skipIf(!hasTool('ffmpeg'))('tracks that ffmpeg put together', () => {
  test.concurrent.each(LAYOUTS)('come apart as they were: %s', async (flags) => {
    const { init, media } = await mux(flags)
    const file = Buffer.concat([init, media])
    const inits = splitInit(init)
    expect(inits.map((own) => readInit(own).rendition)).toEqual(['video', 'audio'])
    for (const own of inits) {
      const facts = readInit(own)
      const bytes = splitMedia(media, facts)
      if (bytes === undefined) throw new Error(`no ${facts.rendition}`)
      const whole = Buffer.concat([own, bytes])
      const source = await probePackets(file, facts.rendition)
      expect(await probePackets(whole, facts.rendition)).toEqual(source)
      expect(readMedia(bytes, facts).samples).toBe(source.length)
      expect(await complaints(whole)).toEqual([])
    }
  })
})

describe.skipIf(!hasTool('ffmpeg'))('what does not fit', () => {
  let muxed: Muxed
  beforeAll(async () => {
    muxed = await mux('default_base_moof')
  })

  test('a fragment without the track gives none', () => {
    const [video] = splitInit(muxed.init).map((own) => readInit(own))
    if (video === undefined) throw new Error('no video')
    expect(splitMedia(muxed.media, { ...video, trackId: 7 })).toBeUndefined()
  })

  test('samples outside their mdat are an error', () => {
    const [video] = splitInit(muxed.init).map((own) => readInit(own))
    if (video === undefined) throw new Error('no video')
    const moved = Buffer.from(muxed.media)
    const offsetAt = moved.indexOf('trun') + 12
    for (const offset of [-8, 0, moved.readInt32BE(offsetAt) + moved.length]) {
      moved.writeInt32BE(offset, offsetAt)
      expect(() => splitMedia(moved, video)).toThrow(/outside the mdat/)
    }
  })

  test('whatever the bytes: fragments that can be read, or an Mp4Error', () => {
    const inits = splitInit(muxed.init).map((own) => readInit(own))
    const edits = fc.array(fc.record({ at: fc.nat(1500), value: fc.nat(255) }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(edits, fc.boolean(), (changes, inInit) => {
        const bytes = Buffer.from(inInit ? muxed.init : muxed.media)
        for (const { at, value } of changes) bytes.writeUInt8(value, Math.min(at, bytes.length - 1))
        try {
          const own = inInit ? splitInit(bytes).map((init) => readInit(init)) : inits
          for (const init of own) {
            const media = splitMedia(inInit ? muxed.media : bytes, init)
            if (media !== undefined) readMedia(media, init)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }),
      { numRuns: 300 },
    )
  })
})

test('an init segment of one track stays the bytes that it is', () => {
  const { init } = readClip('avc')
  expect(splitInit(init)[0]).toBe(init)
})

test.each(['ac-3', 'Opus'])('of several tracks of sound AAC is taken: behind %s', (name) => {
  const { init } = readClip('aac')
  const moov = theOnly(readBoxes(init), 'moov', 'file')
  const track = theOnly(readChildren(init, moov), 'trak', 'moov')
  const readable = init.subarray(track.start, endOf(track))
  const other = Buffer.from(readable)
  other.write(name, other.indexOf('mp4a'), 'latin1')
  const both = withInMoov(readClip('avc').init, Buffer.concat([other, readable]))
  const [, sound] = splitInit(both)
  expect(sound?.includes('mp4a')).toBe(true)
  expect(sound?.includes(name)).toBe(false)
})

test('tracks that are neither video nor audio are an error', () => {
  const { init } = readClip('avc')
  const moov = theOnly(readBoxes(init), 'moov', 'file')
  const trak = theOnly(readChildren(init, moov), 'trak', 'moov')
  const text = Buffer.from(init.subarray(trak.start, endOf(trak)))
  text.write('text', text.indexOf('vide'), 'latin1')
  const tracks = box('moov', Buffer.concat([text, text]))
  const ftyp = init.subarray(0, moov.start)
  expect(() => splitInit(Buffer.concat([ftyp, tracks]))).toThrow('neither video nor audio')
})
