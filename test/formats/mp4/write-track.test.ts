import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../src/formats/mp4/media.ts'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import type { AacDescription, Sample } from '../../../src/formats/mp4/track.ts'
import { writeFragment } from '../../../src/formats/mp4/write-fragment.ts'
import { writeInit } from '../../../src/formats/mp4/write-init.ts'
import { readClip } from '../../support/mp4.ts'

const AAC: AacDescription = { codec: 'aac', objectType: 2, frequencyIndex: 3, channels: 2 }

describe('an init segment', () => {
  test.each([
    [3, 2, 48_000],
    [4, 1, 44_100],
    [8, 1, 16_000],
    [11, 6, 8_000],
    // More hertz than a sample entry can say.
    [0, 2, 96_000],
  ])('of AAC with frequency index %i and %i channels', (frequencyIndex, channels, rate) => {
    const init = readInit(writeInit({ ...AAC, frequencyIndex, channels }))
    expect(init).toMatchObject({ codec: 'mp4a.40.2', timescale: rate, trackId: 2 })
    expect(init.audio?.channels).toBe(channels)
  })

  test('is the same for the same description, and another for another', () => {
    expect(writeInit({ ...AAC })).toEqual(writeInit(AAC))
    expect(readInit(writeInit({ ...AAC, channels: 1 })).id).not.toBe(readInit(writeInit(AAC)).id)
  })

  test('cannot be written without parameter sets, or with broken ones', () => {
    const sequenceSets = [Buffer.from('67640028', 'hex')]
    for (const sets of [[], sequenceSets]) {
      const description = { codec: 'avc', sequenceSets: sets, pictureSets: sets } as const
      expect(() => writeInit(description)).toThrow(Mp4Error)
    }
  })
})

const samples = fc
  .array(
    fc.record({
      duration: fc.integer({ min: 90, max: 9000 }),
      offset: fc.integer({ min: -9000, max: 9000 }),
      key: fc.boolean(),
      size: fc.integer({ min: 1, max: 300 }),
    }),
    { minLength: 1, maxLength: 50 },
  )
  .map((rows): Sample[] => {
    let dts = 2 ** 40
    return rows.map(({ duration, offset, key, size }, i) => {
      const sample = { dts, pts: dts + offset, duration, key, data: Buffer.alloc(size, i) }
      dts += duration
      return sample
    })
  })

describe('a media fragment', () => {
  test('says of its samples what they are', () => {
    const init = readInit(readClip('avc').init)
    fc.assert(
      fc.property(samples, (written) => {
        const bytes = writeFragment(written, { trackId: init.trackId })
        const durations = written.map(({ duration }) => duration)
        const between = durations.slice(0, -1)
        expect(readMedia(bytes, init)).toEqual({
          steps: {
            lastTicks: durations.at(-1),
            shortestTicks: between.length === 0 ? 0 : Math.min(...between),
            longestTicks: Math.max(0, ...between),
            shrinkableTicks: expect.any(Number) as unknown,
          },
          baseTicks: 2 ** 40,
          durationTicks: written.reduce((sum, { duration }) => sum + duration, 0),
          samples: written.length,
          startsWithSync: written[0]?.key,
        })
        const data = Buffer.concat(written.map((sample) => sample.data))
        expect(bytes.subarray(-data.length)).toEqual(data)
        // The moof ends with the last sample's composition offset, which may be negative.
        const last = written.at(-1)
        const offset = bytes.readInt32BE(bytes.length - data.length - 12)
        expect(offset).toBe((last?.pts ?? 0) - (last?.dts ?? 0))
      }),
    )
  })

  test('of no sample is none', () => {
    expect(() => writeFragment([], { trackId: 1 })).toThrow('without samples')
  })
})
