import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAdts, scanAdts } from '../../../src/formats/aac/adts.ts'
import { timedFrames } from '../../../src/formats/aac/frame-times.ts'
import { readPackedAudio } from '../../../src/formats/aac/packed-audio.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { writeTrack } from '../../../src/formats/mp4/write-track.ts'
import { needsNoInit, readSegment } from '../../../src/formats/read-segment.ts'
import { complaints, encode, probePackets } from '../../support/packets.ts'
import { hasTool } from '../../support/tools.ts'

/** AAC-LC, stereo, of this sample rate index. 14496-3, 1.A.2.2. */
function frame(data: Buffer, frequencyIndex = 3): Buffer {
  const length = 7 + data.length
  const bytes = Buffer.from('fff14080001ffc', 'hex')
  bytes.writeUInt8(0x40 | (frequencyIndex << 2), 2)
  bytes.writeUInt8(0x80 | (length >> 11), 3)
  bytes.writeUInt8((length >> 3) & 0xff, 4)
  bytes.writeUInt8(((length & 7) << 5) | 0x1f, 5)
  return Buffer.concat([bytes, data])
}

const frames = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => frame(Buffer.alloc(i + 1, i)))

/** id3.org, v2.4: a tag of one PRIV frame. RFC 8216, 3.4. */
function tag(stamp: bigint, owner = 'com.apple.streaming.transportStreamTimestamp'): Buffer {
  const data = Buffer.concat([Buffer.from(`${owner}\0`), Buffer.alloc(8)])
  data.writeBigUInt64BE(stamp, data.length - 8)
  const priv = Buffer.concat([Buffer.from('PRIV'), Buffer.from([0, 0, 0, data.length, 0, 0]), data])
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0, 0, 0, 0, priv.length]), priv])
}

const dts = (bytes: Buffer): readonly number[] => readPackedAudio(bytes).samples.map((s) => s.dts)

test('zeros between frames and behind them are passed over, and are no fault', () => {
  const whole = frames(3)
  const {
    frames: read,
    faults,
    end,
  } = scanAdts(Buffer.concat(whole.flatMap((one) => [one, Buffer.alloc(5)])))
  expect(read.map(({ data }) => data)).toEqual(whole.map((one) => one.subarray(7)))
  expect({ faults, end }).toEqual({
    faults: [],
    end: whole.reduce((sum, { length }) => sum + length + 5, 0),
  })
})

test('where the configuration changes, the frames that have the commoner one are taken', () => {
  const [first, ...others] = frames(4)
  const odd = frame(Buffer.from([9]), 4)
  for (const all of [
    [odd, first, ...others],
    [first, ...others, odd],
  ]) {
    const run = scanAdts(Buffer.concat(all.filter((one) => one !== undefined)))
    expect(run.description?.frequencyIndex).toBe(3)
    expect(run.frames).toHaveLength(4)
    expect(run.faults).toEqual(['an audio configuration that changes within a fragment'])
  }
})

test('a stamp that wavers does not move frames that follow on; one that is far off does', () => {
  const { description, frames: read } = readAdts(Buffer.concat(frames(2)))
  const startOf = (ticks: number, due?: number): number | undefined =>
    timedFrames({ description, frames: read }, [{ at: 0, ticks }], due).samples[0]?.dts
  expect(startOf(48_700)).toBe(48_700)
  expect(startOf(48_700, 48_000)).toBe(48_000)
  expect(startOf(47_300, 48_000)).toBe(48_000)
  expect(startOf(58_000, 48_000)).toBe(58_000)
})

describe('packed audio', () => {
  test('begins where its ID3 tag says, 1024 ticks a frame', () => {
    expect(dts(Buffer.concat([tag(900_000n), ...frames(3)]))).toEqual([480_000, 481_024, 482_048])
  })

  test('begins at the last tick before the stamp wraps, too', () => {
    expect(dts(Buffer.concat([tag(2n ** 33n - 15n), ...frames(1)]))).toEqual([4_581_298_441])
  })

  test('begins at 0 without a stamp', () => {
    expect(dts(Buffer.concat(frames(2)))).toEqual([0, 1024])
    expect(dts(Buffer.concat([tag(900_000n, 'somebody else'), ...frames(1)]))).toEqual([0])
  })

  test('keeps the frames’ bytes', () => {
    const { description, samples } = readPackedAudio(Buffer.concat([tag(0n), ...frames(3)]))
    expect(description).toEqual({ codec: 'aac', objectType: 2, frequencyIndex: 3, channels: 2 })
    expect(samples.map(({ data }) => data.toString('hex'))).toEqual(['00', '0101', '020202'])
  })

  test.each([
    ['nothing behind its tag', /without a frame/, tag(0n)],
    ['a tag that is cut off', /tag is cut off/, tag(0n).subarray(0, 40)],
    ['a frame that is cut off', /frame at 8 is cut off/, Buffer.concat(frames(2)).subarray(0, -1)],
    [
      'no frame where one should begin',
      /no audio frame/,
      Buffer.concat([...frames(1), Buffer.alloc(9, 1)]),
    ],
    [
      'two sample rates',
      /configuration that changes/,
      Buffer.concat([frame(Buffer.alloc(1)), frame(Buffer.alloc(1), 4)]),
    ],
    ['a rate that is none', /sample rate has index 13/, frame(Buffer.alloc(1), 13)],
  ])('%s is an error', (_what, message, bytes) => {
    expect(() => readPackedAudio(bytes)).toThrow(message)
    expect(() => readPackedAudio(bytes)).toThrow(Mp4Error)
  })

  test('whatever the bytes: frames or an Mp4Error', () => {
    const source = Buffer.concat([tag(900_000n), ...frames(10)])
    const edits = fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(edits, fc.nat(source.length), (changes, length) => {
        const bytes = Buffer.from(source.subarray(0, length))
        for (const [at, value] of changes) if (at < length) bytes.writeUInt8(value, at)
        try {
          readSegment(bytes, { loneMs: 0 })
        } catch (error) {
          expect(error).toBeInstanceOf(Mp4Error)
        }
      }),
    )
  })

  test.skipIf(!hasTool('ffmpeg'))('of ffmpeg’s plays as MP4', async () => {
    const source = await encode(1, '-vn', '-c:a', 'aac', '-f', 'adts')
    expect(needsNoInit(source)).toBe(true)
    const { initBytes, bytes } = writeTrack(readPackedAudio(source))
    const mp4 = Buffer.concat([initBytes, bytes])
    expect(await complaints(mp4)).toEqual([])
    const sizes = (await probePackets(source, 'audio')).map((packet) => packet.bytes)
    expect((await probePackets(mp4, 'audio')).map((packet) => packet.bytes + 7)).toEqual(sizes)
  })
})

describe('marks along the frames', () => {
  const stream = readAdts(Buffer.concat(frames(6)))
  const at = (index: number): number => stream.frames[index]?.at ?? NaN
  const starts = (marks: readonly [number, number][]): readonly number[] =>
    timedFrames(
      stream,
      marks.map(([index, ticks]) => ({ at: at(index), ticks })),
    ).samples.map((sample) => sample.dts)

  test('that wander a little do not tear the sound', () => {
    expect(
      starts([
        [0, 1000],
        [2, 3048 + 2000],
        [4, 5096 - 2000],
      ]),
    ).toEqual([1000, 2024, 3048, 4072, 5096, 6120])
  })

  test('that jump are a hole, which the frame before it covers', () => {
    const { samples } = timedFrames(stream, [
      { at: 0, ticks: 1000 },
      { at: at(3), ticks: 50_000 },
    ])
    expect(samples.map((sample) => sample.dts)).toEqual([1000, 2024, 3048, 50_000, 51_024, 52_048])
    expect(samples[2]?.duration).toBe(50_000 - 3048)
  })

  test('that go back are an error', () => {
    expect(() =>
      starts([
        [0, 50_000],
        [3, 1000],
      ]),
    ).toThrow('goes back')
  })

  test('must say when the first frame is', () => {
    expect(() => starts([[1, 1000]])).toThrow('without a time')
  })
})
