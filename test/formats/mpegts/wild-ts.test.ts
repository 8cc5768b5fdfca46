import { beforeAll, describe, expect, test } from 'vitest'
import { packetize } from '../../../src/emulator/mpegts/packet.ts'
import { writePes } from '../../../src/emulator/mpegts/pes.ts'
import { writePat, writePmt } from '../../../src/emulator/mpegts/tables.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { renditionOf, type Sample, type Track } from '../../../src/formats/mp4/track.ts'
import { writeFragment } from '../../../src/formats/mp4/write-fragment.ts'
import { writeInit } from '../../../src/formats/mp4/write-init.ts'
import { readTs, type TsReading, type TsTail } from '../../../src/formats/mpegts/read-ts.ts'
import { lookAtPixels } from '../../proof/look-at-media.ts'
import {
  AUDIO_PID,
  byteStream,
  eachPacket,
  editHeads,
  editStamps,
  editStream,
  editTable,
  middleOf,
  moved,
  PMT_PID,
  pidOf,
  streamEntry,
  tablesOf,
  unitsOf as unitsOfStream,
  unitType,
  VIDEO_PID,
} from '../../support/odd-ts.ts'
import { encode, probePackets } from '../../support/packets.ts'
import { hasTool } from '../../support/tools.ts'
import { tsPackets } from '../../support/ts-clip.ts'

/**
 * Transport streams as the field sends them. Each kind is made of the same source, which plays in the same run as the
 * control, and is judged by what ffmpeg decodes of what we wrote against what it decodes of the source.
 */

const PACKET = 188
const QUIET = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-g', '25']
const TABLES = ['-mpegts_flags', '+resend_headers', '-muxdelay', '0', '-f', 'mpegts']

/** Reads segments one after the other, each with what the one before left. */
function readAll(segments: readonly Buffer[]): readonly TsReading[] {
  const readings: TsReading[] = []
  let before: TsTail | undefined
  for (const bytes of segments) {
    const reading = readTs(bytes, { loneMs: 40, run: { before } })
    before = reading.tail
    readings.push(reading)
  }
  return readings
}

/** What was read, as one file of a track. */
function movie(readings: readonly TsReading[], kind: 'video' | 'audio'): Buffer {
  const tracks = readings.flatMap(({ tracks }) => tracks.filter((track) => isKind(track, kind)))
  const [first] = tracks
  if (first === undefined) throw new Error(`no ${kind}`)
  const media = tracks.map(({ samples }) => writeFragment(samples, { trackId: 1 }))
  return Buffer.concat([writeInit(first.description), ...media])
}

const isKind = ({ description }: Track, kind: 'video' | 'audio'): boolean =>
  renditionOf(description) === kind

const samplesOf = (readings: readonly TsReading[], kind: 'video' | 'audio'): readonly Sample[] =>
  readings.flatMap(({ tracks }) => tracks.filter((t) => isKind(t, kind)).flatMap((t) => t.samples))

/** A checksum for each decoded picture, or stretch of sound. */
async function decoded(media: Buffer, kind: 'video' | 'audio'): Promise<readonly string[]> {
  const { streams } = await lookAtPixels(media)
  const { frames = [] } = streams.find(({ type }) => type === kind) ?? {}
  return frames.map(({ checksum }) => checksum)
}

/** Where pictures begin that decoding can start with: random_access_indicator. */
function keyAts(ts: Buffer): readonly number[] {
  return tsPackets(ts)
    .filter(({ at, pid, startsUnit }) => {
      const hasField = (ts.readUInt8(at + 3) & 0x20) !== 0 && ts.readUInt8(at + 4) > 0
      return pid === 0x100 && startsUnit && hasField && (ts.readUInt8(at + 5) & 0x40) !== 0
    })
    .map(({ at }) => at)
}

function cutAt(ts: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places, ts.length]
  return ends.map((end, i) => ts.subarray(i === 0 ? 0 : ends[i - 1], end))
}

interface Pes {
  readonly kind: 'video' | 'audio'
  readonly dts: number
  readonly bytes: Buffer
}

/** A transport stream of these PES packets, behind its tables. */
function mux(packets: readonly Pes[], types = { video: 0x1b, audio: 0x0f }): Buffer {
  const pids = { video: 0x100, audio: 0x101 }
  const streams = (['video', 'audio'] as const)
    .filter((kind) => packets.some((packet) => packet.kind === kind))
    .map((kind) => ({ pid: pids[kind], streamType: types[kind] }))
  const counts = new Map<number, number>()
  const unit = (pid: number, bytes: Buffer): Buffer => {
    const cut = packetize({ pid, bytes, pcr: undefined, randomAccess: false }, counts.get(pid) ?? 0)
    counts.set(pid, (counts.get(pid) ?? 0) + cut.length / PACKET)
    return cut
  }
  const inOrder = packets.toSorted((a, b) => a.dts - b.dts)
  return Buffer.concat([
    unit(0, writePat()),
    unit(0x1000, writePmt(streams)),
    ...inOrder.map(({ kind, bytes }) => unit(pids[kind], bytes)),
  ])
}

const START = Buffer.from([0, 0, 1])

/** The NAL units of a picture as MP4 has them. */
function unitsOf({ data }: Sample): readonly Buffer[] {
  const units: Buffer[] = []
  for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at)) {
    units.push(data.subarray(at + 4, at + 4 + data.readUInt32BE(at)))
  }
  return units
}

/** A picture's units with the parameter sets in front where it is a key frame, without a delimiter. */
function annexB(track: Track, sample: Sample): readonly Buffer[] {
  const { description } = track
  if (description.codec !== 'avc') throw new Error('not H.264')
  const sets = sample.key ? [...description.sequenceSets, ...description.pictureSets] : []
  return [...sets, ...unitsOf(sample)].map((unit) => Buffer.concat([START, unit]))
}

function withoutTimes(kind: 'video' | 'audio', data: Buffer): Buffer {
  const head = Buffer.from([0, 0, 1, kind === 'video' ? 0xe0 : 0xc0, 0, 0, 0x84, 0, 0])
  return Buffer.concat([head, data])
}

describe.skipIf(!hasTool('ffmpeg'))('MPEG-TS as the field packs it', { concurrent: true }, () => {
  let source: Buffer = Buffer.alloc(0)
  let pictures: readonly string[] = []
  let track: Track

  beforeAll(async () => {
    source = await encode(3, ...QUIET, '-bf', '2', '-x264-params', 'slices=3', ...TABLES)
    pictures = await decoded(source, 'video')
    const [video] = readTs(source, { loneMs: 40 }).tracks
    if (video === undefined) throw new Error('no picture')
    track = video
  })

  /** All pictures of the source, at the times of the source. */
  async function expectWhole(readings: readonly TsReading[]): Promise<void> {
    expect(await decoded(movie(readings, 'video'), 'video')).toEqual(pictures)
    const times = (samples: readonly Sample[]): readonly number[] =>
      samples.map(({ pts }) => pts).toSorted((a, b) => a - b)
    expect(times(samplesOf(readings, 'video'))).toEqual(times(track.samples))
  }

  async function expectAllSound(readings: readonly TsReading[]): Promise<void> {
    const sound = samplesOf(readings, 'audio')
    const probed = await probePackets(source, 'audio')
    expect(sound.map(({ data }) => data.length + 7)).toEqual(probed.map(({ bytes }) => bytes))
    for (const [i, { dts }] of sound.entries()) {
      expect(Math.abs(dts / 48_000 - (probed[i]?.ptsS ?? NaN))).toBeLessThan(1e-3)
    }
  }

  test('control: the source in one segment', async () => {
    const readings = readAll([source])
    await expectWhole(readings)
    await expectAllSound(readings)
    expect(readings.map(({ damage }) => damage)).toEqual([[]])
  })

  test('frames of sound that cross segments', async () => {
    const readings = readAll(cutAt(source, keyAts(source).slice(1)))
    expect(readings).toHaveLength(3)
    await expectWhole(readings)
    await expectAllSound(readings)
  })

  test.each([1, 2, 7])(
    'pictures that cross segments, %i packets behind their start',
    async (packets) => {
      const cuts = keyAts(source).slice(1)
      await expectWhole(
        readAll(
          cutAt(
            source,
            cuts.map((at) => at + packets * PACKET),
          ),
        ),
      )
    },
  )

  test('junk before, between and after packets, and an ID3 tag in front', async () => {
    const tag = Buffer.concat([
      Buffer.from('ID3\x04\x00\x00\x00\x00\x01\x00', 'latin1'),
      Buffer.alloc(128, 7),
    ])
    const middle = 50 * PACKET
    const junk = Buffer.alloc(77, 0x11)
    const parts = [tag, source.subarray(0, middle), junk, source.subarray(middle), junk]
    await expectWhole(readAll([Buffer.concat(parts)]))
  })

  test.each([
    ['192 bytes, with a time in front', [1, 1, 1, 1], 0],
    ['192 bytes, with nothing in front', [0, 0, 0, 0], 0],
    ['192 bytes, with a time that looks like the start of a packet', [0x47, 0x40, 0x11, 0x10], 0],
    ['192 bytes, with four sync bytes in front', [0x47, 0x47, 0x47, 0x47], 0],
    ['204 bytes, with parity behind', [], 16],
  ])('packets of %s', async (_what, front, behind) => {
    const packets = tsPackets(source).map(({ at }) =>
      Buffer.concat([
        Buffer.from(front),
        source.subarray(at, at + PACKET),
        Buffer.alloc(behind, 2),
      ]),
    )
    await expectWhole(readAll([Buffer.concat(packets)]))
  })

  test('a lost packet costs the picture that it was of, and it is said', async () => {
    const starts = tsPackets(source).filter(({ pid, startsUnit }) => pid === 0x100 && startsUnit)
    const counts = await Promise.all(
      [30, 40, 55].map(async (index) => {
        const at = (starts[index]?.at ?? 0) + PACKET
        const readings = readAll([
          Buffer.concat([source.subarray(0, at), source.subarray(at + PACKET)]),
        ])
        expect(readings[0]?.damage).toContain('transport packets')
        return samplesOf(readings, 'video').length
      }),
    )
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(pictures.length - 1)
  })

  test('one NAL unit in each PES packet', async () => {
    const packets = track.samples.flatMap((sample) =>
      annexB(track, sample).map((unit) => ({
        kind: 'video' as const,
        dts: sample.dts,
        bytes: writePes('video', sample, unit),
      })),
    )
    await expectWhole(readAll([mux(packets)]))
  })

  test('slices in PES packets without times, and no delimiter', async () => {
    const packets = track.samples.flatMap((sample) =>
      annexB(track, sample).map((unit, i) => ({
        kind: 'video' as const,
        dts: sample.dts,
        bytes: i === 0 ? writePes('video', sample, unit) : withoutTimes('video', unit),
      })),
    )
    await expectWhole(readAll([mux(packets)]))
  })

  test('NAL units that cross PES packets', async () => {
    const packets = track.samples.flatMap((sample) => {
      const whole = Buffer.concat([...annexB(track, sample)])
      const cut = Math.floor(whole.length / 2)
      const first = writePes('video', sample, whole.subarray(0, cut))
      return [first, withoutTimes('video', whole.subarray(cut))].map((bytes) => {
        return { kind: 'video' as const, dts: sample.dts, bytes }
      })
    })
    await expectWhole(readAll([mux(packets)]))
  })

  test('no DTS, though pictures are shown in another order', async () => {
    const packets = track.samples.map((sample) => ({
      kind: 'video' as const,
      dts: sample.dts,
      bytes: writePes(
        'video',
        { pts: sample.pts, dts: sample.pts },
        Buffer.concat([...annexB(track, sample)]),
      ),
    }))
    const readings = readAll([mux(packets)])
    await expectWhole(readings)
    const samples = samplesOf(readings, 'video')
    expect(samples.every(({ pts, dts }) => pts >= dts)).toBe(true)
  })

  test('equal DTS', async () => {
    const packets = track.samples.map((sample, i) => {
      const dts = i % 2 === 0 ? sample.dts : (track.samples[i - 1]?.dts ?? sample.dts)
      const data = Buffer.concat([...annexB(track, sample)])
      return {
        kind: 'video' as const,
        dts: sample.dts,
        bytes: writePes('video', { pts: sample.pts, dts }, data),
      }
    })
    await expectWhole(readAll([mux(packets)]))
  })

  test('parameter sets only in the first segment', async () => {
    const at = track.samples.findIndex(({ key }, i) => key && i > 0)
    const [first, second] = [track.samples.slice(0, at), track.samples.slice(at)]
    const packed = (samples: readonly Sample[], sets: boolean): Buffer =>
      mux(
        samples.map((sample) => {
          const units = annexB(track, { ...sample, key: sample.key && sets })
          return {
            kind: 'video',
            dts: sample.dts,
            bytes: writePes('video', sample, Buffer.concat([...units])),
          }
        }),
      )
    await expectWhole(readAll([packed(first, true), packed(second, false)]))
    expect(() => readAll([packed(second, false)])).toThrow('without parameter sets')
  })

  const DELIMITER = Buffer.from([9, 0xf0])
  const NOTE = Buffer.from([6, 5, 17, ...Array.from({ length: 17 }, () => 9), 0x80])
  const FILLER = Buffer.from([12, 0xff, 0xff, 0x80])
  const isDelimiter = (unit: Buffer): boolean => unitType(unit) === 9
  type Edit = (segment: Buffer, i: number) => Buffer
  const units = (edit: (units: readonly Buffer[]) => readonly Buffer[]): Edit =>
    editStream(VIDEO_PID, (data) => byteStream(edit(unitsOfStream(data))))
  /** From the middle of the second segment on. */
  const fromMiddle =
    (edit: (rest: Buffer) => Buffer): Edit =>
    (segment, i) => {
      const at = [segment.length, middleOf(segment)][i] ?? 0
      return Buffer.concat([segment.subarray(0, at), edit(segment.subarray(at))])
    }

  const ODD: Readonly<Record<string, Edit>> = {
    'another program on other PIDs, from the middle of a segment on': fromMiddle((rest) =>
      rest.length === 0 ? rest : moved(Buffer.concat([tablesOf(source), rest]), 7),
    ),
    'packets that are sent twice, the second time with another clock': (segment) =>
      eachPacket(segment, (packet) => {
        const hasClock = (packet.readUInt8(3) & 0x20) !== 0 && packet.readUInt8(4) >= 7
        const again = Buffer.from(packet)
        if (hasClock) again.writeUInt8(packet.readUInt8(8) ^ 1, 8)
        return hasClock ? [packet, again] : [packet]
      }),
    'lengths of PES packets without their upper bits': (segment) =>
      editHeads(segment, VIDEO_PID, (head, _, length) => head.writeUInt16BE(length & 0x1ff, 4)),
    'notes alone between delimiters': units((all) => [DELIMITER, NOTE, ...all]),
    'filler before each unit': units((all) => all.flatMap((unit) => [FILLER, unit])),
    'delimiters behind pictures': units((all) => [
      ...all.filter((unit) => !isDelimiter(unit)),
      DELIMITER,
    ]),
    'tracks in front that are announced and never come': editTable(PMT_PID, (map) => {
      const front = [streamEntry(0x24, 0x198), streamEntry(0x0f, 0x199)]
      return Buffer.concat([map.subarray(0, 12), ...front, map.subarray(12)])
    }),
    'a track of sound in front that is scrambled': (segment) => {
      const front = editTable(PMT_PID, (map) =>
        Buffer.concat([map.subarray(0, 12), streamEntry(0x0f, 0x199), map.subarray(12)]),
      )
      return eachPacket(front(segment), (packet) => {
        if (pidOf(packet) !== AUDIO_PID) return [packet]
        const scrambled = Buffer.from(packet)
        scrambled.writeUInt16BE((packet.readUInt16BE(1) & 0xe000) | 0x199, 1)
        scrambled.writeUInt8(packet.readUInt8(3) | 0x80, 3)
        return [scrambled, packet]
      })
    },
    'no time in the first PES packet': (segment) =>
      editHeads(segment, VIDEO_PID, (head, i) => {
        if (i === 0) head.writeUInt8(head.readUInt8(7) & 0x3f, 7)
      }),
  }

  test.each(Object.entries(ODD))('%s', async (_, edit) => {
    const readings = readAll(cutAt(source, keyAts(source).slice(1)).map(edit))
    await expectWhole(readings)
    await expectAllSound(readings)
    expect(readings.flatMap(({ damage }) => damage)).toEqual([])
  })

  test.each([
    ['ahead', 324_000_000],
    ['back', -90_000_000],
  ])('stamps that jump %s within a segment go on there', async (_, by) => {
    const start = 100_000_000
    const jump = fromMiddle((rest) => editStamps(rest, (stamp) => stamp + by))
    const late = editStamps(source, (stamp) => stamp + start)
    const readings = readAll(cutAt(late, keyAts(late).slice(1)).map(jump))
    const all = await Promise.all(readings.map((one) => decoded(movie([one], 'video'), 'video')))
    expect(all.flat()).toEqual(pictures)
    for (const { tracks } of readings) {
      for (const { samples } of tracks) {
        const steps = samples.slice(1).map(({ dts }, i) => dts - (samples[i]?.dts ?? 0))
        expect(new Set(steps).size).toBe(1)
      }
    }
    expect(samplesOf(readings, 'audio')).toHaveLength((await probePackets(source, 'audio')).length)
  })

  test.each([
    ['between packets', 0],
    ['within a packet', 100],
  ])('a segment that is cut %s: what is there, and that is said', async (_, more) => {
    const [first, second, third] = cutAt(source, keyAts(source).slice(1))
    if (first === undefined || second === undefined || third === undefined) throw new Error('short')
    const cut = second.subarray(0, middleOf(second) + PACKET + more)
    const readings = readAll([first, cut, third])
    const shown = await decoded(movie(readings, 'video'), 'video')
    // The picture that was cut is left out; all others are whole.
    expect(pictures).toEqual(expect.arrayContaining([...shown]))
    expect(shown.slice(-25)).toEqual(pictures.slice(-25))
    expect(shown.length).toBeGreaterThan(55)
    const said = readings.flatMap(({ damage }) => damage)
    expect(said).toContain('a picture that is cut off')
    expect(said.includes('a transport packet that is cut off')).toBe(more > 0)
  })

  test('a packet that is marked as scrambled costs what it held', () => {
    const at = middleOf(source) + PACKET
    const marked = Buffer.from(source)
    marked.writeUInt8(marked.readUInt8(at + 3) | 0x80, at + 3)
    const readings = readAll([marked])
    expect(samplesOf(readings, 'video').length).toBeGreaterThanOrEqual(pictures.length - 1)
    expect(readings[0]?.damage).toContain('transport packets')
  })
})

describe.skipIf(!hasTool('ffmpeg'))('many pictures in a PES packet', { concurrent: true }, () => {
  test('follow at the pace of those around them', async () => {
    const ts = await encode(2, ...QUIET, '-an', '-bf', '0', ...TABLES)
    const [track] = readTs(ts, { loneMs: 40 }).tracks
    if (track === undefined) throw new Error('no picture')
    const packets = track.samples.flatMap((sample, i) => {
      if (i % 5 !== 0) return []
      const five = track.samples.slice(i, i + 5).flatMap((one) => annexB(track, one))
      return {
        kind: 'video' as const,
        dts: sample.dts,
        bytes: writePes('video', sample, Buffer.concat(five)),
      }
    })
    const readings = readAll([mux(packets)])
    expect(samplesOf(readings, 'video').map(({ pts }) => pts)).toEqual(
      track.samples.map(({ pts }) => pts),
    )
    expect(await decoded(movie(readings, 'video'), 'video')).toEqual(await decoded(ts, 'video'))
  })
})

describe.skipIf(!hasTool('ffmpeg'))('what changes within a segment', { concurrent: true }, () => {
  test('picture size and parameter sets: all pictures decode', async () => {
    const [a, b] = await Promise.all(
      ['320x180', '640x360'].map((size) =>
        encode(1, ...QUIET, '-an', '-bf', '0', '-s', size, ...TABLES),
      ),
    )
    const tracks = [a, b].map((ts) => readTs(ts ?? Buffer.alloc(0), { loneMs: 40 }).tracks[0])
    const shifted = tracks.flatMap((track, i) =>
      track === undefined
        ? []
        : track.samples.map((sample) => {
            const times = { pts: sample.pts + i * 90_000, dts: sample.dts + i * 90_000 }
            const data = Buffer.concat([...annexB(track, sample)])
            return { kind: 'video' as const, dts: times.dts, bytes: writePes('video', times, data) }
          }),
    )
    const readings = readAll([mux(shifted)])
    const counted = await decoded(movie(readings, 'video'), 'video')
    expect(counted).toHaveLength(50)
  })

  test('the PID of the picture', async () => {
    const ts = await encode(2, ...QUIET, ...TABLES)
    const half = keyAts(ts)[1] ?? 0
    const head = ts.subarray(0, half)
    const tail = Buffer.from(ts.subarray(half))
    for (const { at, pid } of tsPackets(tail)) {
      if (pid === 0x100) tail.writeUInt16BE((tail.readUInt16BE(at + 1) & 0xe000) | 0x140, at + 1)
    }
    const map = packetize(
      {
        pid: 0x1000,
        bytes: writePmt([
          { pid: 0x140, streamType: 0x1b },
          { pid: 0x101, streamType: 0x0f },
        ]),
        pcr: undefined,
        randomAccess: false,
      },
      0,
    )
    const own = tsPackets(tail).filter(({ pid }) => pid !== 0x1000)
    const kept = own.map(({ at }) => tail.subarray(at, at + PACKET))
    const readings = readAll([Buffer.concat([head, map, ...kept])])
    expect(await decoded(movie(readings, 'video'), 'video')).toEqual(await decoded(ts, 'video'))
  })
})

describe.skipIf(!hasTool('ffmpeg'))('sound that we cannot serve', { concurrent: true }, () => {
  test.each([
    ['MPEG-1 audio', ['-c:a', 'mp2']],
    ['MPEG-1 audio', ['-c:a', 'libmp3lame']],
    ['AC-3', ['-c:a', 'ac3']],
    ['E-AC-3', ['-c:a', 'eac3']],
    ['Opus', ['-c:a', 'libopus']],
  ])('%s %s is left out and said, beside the picture', async (name, codec) => {
    const ts = await encode(1, ...QUIET, ...codec, ...TABLES)
    const reading = readTs(ts, { loneMs: 40 })
    expect(reading.tracks.map(({ description }) => description.codec)).toEqual(['avc'])
    expect(reading.leftOut).toBe(`sound in ${name}`)
    expect(await decoded(movie([reading], 'video'), 'video')).toEqual(await decoded(ts, 'video'))
  })

  test('is no stand-in for a picture that cannot be served', async () => {
    const ts = await encode(1, ...QUIET, ...TABLES)
    const encrypted = editTable(PMT_PID, (map) =>
      Buffer.from(map.toString('latin1').replace('\x1b\xe1\0', '\xdb\xe1\0'), 'latin1'),
    )
    expect(() => readTs(encrypted(ts), { loneMs: 40 })).toThrow(/^encrypted H.264: expected/)
  })

  test('is an error that names it where there is nothing else', async () => {
    const ts = await encode(1, '-vn', '-c:a', 'mp2', ...TABLES)
    expect(() => readTs(ts, { loneMs: 40 })).toThrow('MPEG-1 audio: expected H.264, HEVC or AAC')
  })
})

describe.skipIf(!hasTool('ffmpeg'))('key frames', { concurrent: true }, () => {
  test('of open groups are those that ffprobe sees', async () => {
    const open = ['-x264-params', 'open-gop=1:keyint=10:min-keyint=10:bframes=3:b-adapt=0']
    const ts = await encode(2, '-an', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', ...open, ...TABLES)
    const keys = samplesOf([readTs(ts, { loneMs: 40 })], 'video').map(({ key }) => key)
    const probed = await probePackets(ts, 'video')
    expect(keys).toEqual(probed.map(({ key }) => key))
    expect(keys.filter(Boolean).length).toBeGreaterThan(3)
  })
})

describe.skipIf(!hasTool('ffmpeg'))('pixels', { concurrent: true }, () => {
  const said = [
    ['1/1', undefined],
    ['4/3', [4, 3]],
    ['64/45', [64, 45]],
  ] as const
  const kinds = ['libx264', 'libx265'].flatMap((codec) =>
    said.map(([aspect, pasp]) => [codec, aspect, pasp] as const),
  )
  test.each(kinds)(
    'of %s, %s, are said to be so where players look',
    async (codec, aspect, pasp) => {
      const quiet = codec === 'libx265' ? ['-x265-params', 'log-level=error'] : []
      const options = ['-c:v', codec, ...quiet, '-pix_fmt', 'yuv420p', '-vf', `setsar=${aspect}`]
      const { tracks } = readTs(await encode(1, '-an', ...options, ...TABLES), { loneMs: 40 })
      const [init] = tracks.map(({ description }) => writeInit(description))
      const at = init?.indexOf('pasp') ?? -1
      const found = at === -1 ? undefined : [init?.readUInt32BE(at + 4), init?.readUInt32BE(at + 8)]
      expect(found).toEqual(pasp)
      expect(readInit(init ?? Buffer.alloc(0)).video).toEqual({ width: 320, height: 180 })
    },
  )
})
