import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLIP_NAMES, type ClipName } from '../../../src/emulator/media/clip.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import {
  renditionOf,
  type Sample,
  type Track,
  timescaleOf,
} from '../../../src/formats/mp4/track.ts'
import { writeTrack } from '../../../src/formats/mp4/write-track.ts'
import { readTs as readSegment } from '../../../src/formats/mpegts/read-ts.ts'
import { complaints, encode, probePackets } from '../../support/packets.ts'
import { hasTool } from '../../support/tools.ts'
import {
  loneKeyframe,
  TS_BASE,
  type TsPacket,
  tsFragments,
  tsPackets,
} from '../../support/ts-clip.ts'

const PACKET = 188
const WRAP = 2 ** 33

const readTs = (bytes: Buffer, loneMs: number): readonly Track[] =>
  readSegment(bytes, { loneMs }).tracks

function fragmentOf(name: ClipName, index = 0, base?: number): Buffer {
  const fragment = tsFragments(name, base)[index]
  if (fragment === undefined) throw new Error(`${name} has no fragment ${index}`)
  return fragment.bytes
}

const only = (tracks: readonly Track[], kind: 'video' | 'audio'): Track => {
  const track = tracks.find(({ description }) => renditionOf(description) === kind)
  if (track === undefined) throw new Error(`no ${kind}`)
  return track
}

const start = ({ samples }: Track): number => samples[0]?.dts ?? NaN
const end = ({ samples }: Track): number => {
  const last = samples.at(-1)
  return last === undefined ? NaN : last.dts + last.duration
}

describe('the samples are those that were put in', () => {
  test.each(CLIP_NAMES)('%s', (name) => {
    for (const { bytes, tracks, index } of tsFragments(name)) {
      const found = readTs(bytes, 1000)
      expect(found.map(({ description }) => renditionOf(description))).toEqual(
        tracks.map(({ kind }) => kind),
      )
      for (const [i, track] of tracks.entries()) {
        const put = track.fragments[index] ?? []
        const samples = found[i]?.samples ?? []
        expect(samples.map(({ key }) => key)).toEqual(put.map(({ sync }) => sync))
        // The HEVC clip's parameter sets come with a message (SEI), which stays with the picture.
        const isPut = ({ data }: Sample, at: number): boolean =>
          put[at]?.data.equals(data.subarray(-(put[at]?.data.length ?? 0))) === true
        expect(samples.every(isPut)).toBe(true)
        const scale = track.kind === 'video' ? 90_000 / track.timescale : 1
        expect(samples.map(({ duration }) => duration)).toEqual(
          put.map(({ duration }) => duration * scale),
        )
        expect(samples.map(({ pts, dts }) => pts - dts)).toEqual(
          put.map(({ compositionOffset }) => compositionOffset * scale),
        )
      }
    }
  })

  test.each(CLIP_NAMES)('%s: its init segment says what the camera’s own says', (name) => {
    const [fragment] = tsFragments(name)
    for (const [i, track] of readTs(fragment?.bytes ?? Buffer.alloc(0), 1000).entries()) {
      const own = readInit(fragment?.tracks[i]?.init ?? Buffer.alloc(0))
      const { rendition, codec, video, audio } = readInit(writeTrack(track).initBytes)
      expect({ rendition, codec, video, audio }).toEqual({
        rendition: own.rendition,
        codec: own.codec,
        video: own.video,
        audio: own.audio,
      })
    }
  })

  test.each(CLIP_NAMES)('%s: all fragments need the same init segment', (name) => {
    const inits = tsFragments(name).map(({ bytes }) =>
      readTs(bytes, 1000).map((track) => readInit(writeTrack(track).initBytes).id),
    )
    expect(new Set(inits.map(String)).size).toBe(1)
  })
})

describe.skipIf(!hasTool('ffmpeg'))('times and keyframes are those that ffmpeg sees', () => {
  async function expectSame(ts: Buffer): Promise<void> {
    for (const track of readTs(ts, 1000)) {
      const kind = renditionOf(track.description)
      const { initBytes, bytes } = writeTrack(track)
      const mp4 = Buffer.concat([initBytes, bytes])
      const [source, ours] = await Promise.all([probePackets(ts, kind), probePackets(mp4, kind)])
      expect(ours).toHaveLength(source.length)
      for (const [i, { ptsS, dtsS, key }] of source.entries()) {
        const found = ours[i]
        // Audio has the ticks of its sample rate, of which 90 kHz holds a third roughly.
        expect(Math.abs((found?.ptsS ?? NaN) - ptsS)).toBeLessThan(kind === 'video' ? 2e-6 : 3e-5)
        expect(Math.abs((found?.dtsS ?? NaN) - dtsS)).toBeLessThan(kind === 'video' ? 2e-6 : 3e-5)
        expect(found?.key).toBe(key)
      }
      if (kind === 'audio') {
        // ffprobe counts the ADTS header.
        expect(ours.map((packet) => packet.bytes + 7)).toEqual(source.map((packet) => packet.bytes))
      }
      expect(await complaints(mp4)).toEqual([])
    }
  }

  test.concurrent.each(CLIP_NAMES)('%s', async (name) => {
    await expectSame(fragmentOf(name, tsFragments(name).length > 1 ? 1 : 0))
  })

  test.concurrent.each([
    ['H.264 and AAC', 'libx264', 'aac'],
    ['HEVC and AAC', 'libx265', 'aac'],
  ])('%s, muxed by ffmpeg', async (_what, video, audio) => {
    const codecs = ['-c:v', video, '-pix_fmt', 'yuv420p', '-c:a', audio, '-bf', '2']
    const quiet = video === 'libx265' ? ['-x265-params', 'log-level=error'] : []
    const tables = ['-mpegts_flags', '+resend_headers', '-muxdelay', '0']
    await expectSame(await encode(2, ...codecs, ...quiet, ...tables, '-f', 'mpegts'))
  })

  test.concurrent('PES packets that all say how long they are, and audio frames that cross them', async () => {
    const codecs = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-g', '25']
    const sizes = ['-omit_video_pes_length', '0', '-pes_payload_size', '1000']
    await expectSame(await encode(2, ...codecs, ...sizes, '-f', 'mpegts'))
  })
})

describe('time stamps that wrap', () => {
  test('between two fragments leave both whole', () => {
    const [before, after] = [0, 1].map((index) =>
      readTs(fragmentOf('av-720p', index, WRAP - 180_000), 0),
    )
    for (const kind of ['video', 'audio'] as const) {
      const [ended, began] = [only(before ?? [], kind), only(after ?? [], kind)]
      const rate = timescaleOf(ended.description)
      // On a circle of 33 bits they join, and nowhere else.
      const round = (WRAP * rate) / 90_000
      const gap = start(began) - end(ended)
      expect(Math.abs(gap - round * Math.round(gap / round))).toBeLessThan(2)
    }
  })

  test.each(['av-720p', 'audio-only', 'hevc'] as const)(
    'within a fragment do not show: %s',
    (name) => {
      const plain = readTs(fragmentOf(name, 0, 900_000), 0)
      const wrapping = readTs(fragmentOf(name, 0, WRAP - 90_000), 0)
      for (const [i, track] of wrapping.entries()) {
        const rate = timescaleOf(track.description)
        const shift = Math.round(((WRAP - 990_000) * rate) / 90_000)
        const moved = track.samples.map((sample) => ({
          ...sample,
          dts: sample.dts - shift,
          pts: sample.pts - shift,
        }))
        expect(moved).toEqual(plain[i]?.samples)
      }
    },
  )

  test('between sound and picture leave both in step', () => {
    // The picture begins just after the wrap; sound that began before it must not lie 26 hours ahead.
    for (const base of [WRAP - 3600, WRAP - 1, WRAP, WRAP + 1]) {
      const tracks = readTs(fragmentOf('av-720p', 0, base), 0)
      const [video, audio] = [start(only(tracks, 'video')), start(only(tracks, 'audio'))]
      expect(Math.abs(video / 90_000 - audio / 48_000)).toBeLessThan(0.1)
      expect(Math.min(video, audio)).toBeGreaterThanOrEqual(0)
    }
  })
})

test('a lone picture lasts as long as the playlist says', () => {
  const [video] = readTs(loneKeyframe(), 1234.5)
  expect(video?.samples.map(({ duration }) => duration)).toEqual([111_105])
})

function edited(edit: (bytes: Buffer) => Buffer | undefined): Buffer {
  const bytes = Buffer.from(fragmentOf('av-360p'))
  return edit(bytes) ?? bytes
}

function without(bytes: Buffer, gone: (packet: TsPacket, i: number) => boolean): Buffer {
  const kept = tsPackets(bytes).filter((packet, i) => !gone(packet, i))
  return Buffer.concat(kept.map(({ at }) => bytes.subarray(at, at + PACKET)))
}

/** The packet that carries the program map, under other bytes. */
function withMap(bytes: Buffer, edit: (map: Buffer) => void): Buffer {
  const map = Buffer.from(bytes.subarray(PACKET, 2 * PACKET))
  edit(map)
  return map
}

function scrambled(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes)
  for (const { at, pid } of tsPackets(bytes)) {
    if (pid === 0x100) changed.writeUInt8(bytes.readUInt8(at + 3) | 0x80, at + 3)
  }
  return changed
}

describe('what a decoder could not use is an error that says why', () => {
  test.each<[string, RegExp, (bytes: Buffer) => Buffer | undefined]>([
    ['nothing', /no program map/, () => Buffer.alloc(0)],
    ['tables alone', /without media/, (bytes) => bytes.subarray(0, 376)],
    ['garbage', /no program map/, (bytes) => bytes.fill(0xa5)],
    ['scrambled packets', /scrambled/, (bytes) => scrambled(bytes)],
    ['no PAT', /no program map/, (bytes) => without(bytes, ({ pid }) => pid === 0)],
    ['no PMT', /no program map/, (bytes) => without(bytes, ({ pid }) => pid === 0x1000)],
    ['a damaged PAT', /no program map/, (bytes) => void bytes.writeUInt8(1, PACKET - 8)],
  ])('%s', (_what, message, edit) => {
    expect(() => readTs(edited(edit), 1000)).toThrow(message)
    expect(() => readTs(edited(edit), 1000)).toThrow(Mp4Error)
  })

  test('a packet that is sent twice is read once', () => {
    const bytes = fragmentOf('av-360p')
    const at = 10 * PACKET
    const twice = Buffer.concat([bytes.subarray(0, at + PACKET), bytes.subarray(at)])
    expect(readTs(twice, 0)).toEqual(readTs(bytes, 0))
  })

  test('a program map that is repeated changes nothing', () => {
    const bytes = fragmentOf('av-360p')
    const repeated = withMap(bytes, (map) => map.writeUInt8(0x31, 3))
    const [head, tail] = [bytes.subarray(0, 20 * PACKET), bytes.subarray(20 * PACKET)]
    expect(readTs(Buffer.concat([head, repeated, tail]), 0)).toEqual(readTs(bytes, 0))
  })
})

test('whatever the bytes: tracks that can be written and read, or an Mp4Error', () => {
  const source = fragmentOf('av-360p')
  const edits = fc.array(
    fc.record({
      at: fc.nat(source.length - 1),
      value: fc.nat(255),
      count: fc.integer({ min: 1, max: 400 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  const cut = fc.option(fc.nat(source.length / PACKET), { nil: undefined })
  fc.assert(
    fc.property(edits, cut, fc.boolean(), (changes, packetsLeft, small) => {
      const bytes = Buffer.from(source)
      for (const { at, value, count } of changes) {
        if (small) bytes.writeUInt8(value, at)
        else bytes.fill(value, at, Math.min(at + count, bytes.length))
      }
      expectTracksOrError(
        bytes.subarray(0, packetsLeft === undefined ? bytes.length : packetsLeft * PACKET),
      )
    }),
    { numRuns: 300 },
  )
})

test('nor do random packets do harm', () => {
  const header = fc.record({
    starts: fc.boolean(),
    pid: fc.constantFrom(0, 0x1000, 0x100, 0x101),
    payload: fc.uint8Array({ minLength: 184, maxLength: 184 }),
    counter: fc.nat(15),
  })
  fc.assert(
    fc.property(fc.array(header, { maxLength: 20 }), (rows) => {
      const random = rows.map(({ starts, pid, payload, counter }) => {
        const head = [0x47, (starts ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10 | counter]
        return Buffer.concat([Buffer.from(head), payload])
      })
      const tables = fragmentOf('av-360p').subarray(0, 2 * PACKET)
      expectTracksOrError(Buffer.concat([tables, ...random]))
    }),
  )
})

function expectTracksOrError(bytes: Buffer): void {
  try {
    for (const track of readTs(bytes, 1000)) {
      const media = writeTrack(track)
      readMedia(media.bytes, readInit(media.initBytes))
    }
  } catch (error) {
    expect(error).toBeInstanceOf(Mp4Error)
  }
}

test('a fragment of 50 MB of the smallest NAL units ends in an error', () => {
  const tables = fragmentOf('video-only').subarray(0, 2 * PACKET)
  const rows = 5 * Math.floor(50e6 / (PACKET * 5))
  const bytes = Buffer.alloc(tables.length + rows * PACKET, Buffer.from('000001ff', 'hex'))
  tables.copy(bytes)
  for (let i = 0; i < rows; i += 1) {
    const at = tables.length + i * PACKET
    const isFirst = i % 5 === 0
    bytes.writeUInt32BE(0x47_00_00_10 | (isFirst ? 0x41_00_00 : 0x01_00_00) | (i % 16), at)
    if (!isFirst) continue
    bytes.write('000001e00000808005', at + 4, 'hex')
    const ticks = i * 90
    bytes.writeUInt8(0x21 | ((Math.floor(ticks / 2 ** 30) & 7) << 1), at + 13)
    bytes.writeUInt16BE((Math.floor(ticks / 2 ** 15) % 2 ** 15) * 2 + 1, at + 14)
    bytes.writeUInt16BE((ticks % 2 ** 15) * 2 + 1, at + 16)
  }
  expect(() => readTs(bytes, 0)).toThrow(Mp4Error)
})

test('TS_BASE lies where nothing wraps', () => {
  expect(start(only(readTs(fragmentOf('video-only'), 0), 'video'))).toBe(TS_BASE)
})
