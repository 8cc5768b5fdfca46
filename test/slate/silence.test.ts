import { describe, expect, test } from 'vitest'
import { endOf, readBoxes, theOnly } from '../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../src/formats/mp4/init.ts'
import type { AacDescription } from '../../src/formats/mp4/track.ts'
import { writeInit } from '../../src/formats/mp4/write-init.ts'
import { frameLength } from '../../src/slate/silence.ts'
import { SlateRun } from '../../src/slate/slate-run.ts'
import { type StreamSound, silence } from '../../src/slate/sound.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { runTool } from '../proof/ffmpeg.ts'
import { loudness } from './loudness.ts'

/** By samplingFrequencyIndex. */
const RATES = { 3: 48_000, 4: 44_100, 11: 8_000 } as const

function voiceOf(frequencyIndex: number, channels: number) {
  const description: AacDescription = { codec: 'aac', objectType: 2, frequencyIndex, channels }
  const initBytes = writeInit(description)
  return { init: readInit(initBytes), initBytes, frameTicks: 1024 }
}

/** The init segment of a track as ffmpeg encodes it, and how long its frames are. */
async function voiceAs(encoder: string, frameTicks: number): Promise<StreamSound> {
  const flags = '-t 0.2 -strict -2 -movflags frag_keyframe+delay_moov -f mp4 pipe:1'
  const args = `-v error -f lavfi -i sine -c:a ${encoder} ${flags}`.split(' ')
  const { stdout } = await runTool('ffmpeg', args)
  const moov = theOnly(readBoxes(stdout), 'moov', 'file')
  const initBytes = stdout.subarray(0, endOf(moov))
  return { init: readInit(initBytes), initBytes, frameTicks }
}

const cases = Object.entries(RATES).flatMap(([index, rate]) =>
  [1, 2].map((channels) => [rate, channels, Number(index)] as const),
)

describe('silence', () => {
  test.each([
    ...[...cases, [48_000, 6, 3] as const].map(([rate, channels, index]) => {
      return { name: 'AAC', rate, channels, voice: () => voiceOf(index, channels), frame: 1024 }
    }),
    ...[
      { name: 'Opus', encoder: 'libopus -ar 48000 -ac 1', rate: 48_000, channels: 1, frame: 960 },
      { name: 'Opus', encoder: 'libopus -ar 48000 -ac 2', rate: 48_000, channels: 2, frame: 960 },
      { name: 'FLAC', encoder: 'flac -ar 44100 -ac 2', rate: 44_100, channels: 2, frame: 192 },
      {
        name: 'FLAC of 24 bits',
        encoder: 'flac -ar 96000 -ac 6 -sample_fmt s32',
        rate: 96_000,
        channels: 6,
        frame: 192,
      },
    ].map(({ encoder, ...kind }) => ({ ...kind, voice: () => voiceAs(encoder, 4096) })),
  ])(
    '$name at $rate Hz in $channels channels decodes without a sound',
    async ({ rate, channels, voice, frame }) => {
      const sound = silence(await voice())
      if (sound === undefined) throw new Error('no silence')
      const run = new SlateRun({ pictures: undefined, sound }, Date.UTC(2026, 0, 1))
      const segments = Array.from({ length: 5 }, () => run.next(2_000))
      const media = segments.flatMap(({ tracks }) => tracks.map(({ bytes }) => bytes))
      const bytes = Buffer.concat([sound.initBytes, ...media])
      const { warnings, streams } = await decodeWithoutWarning(bytes)
      expect(warnings).toEqual([])
      expect(streams[0]?.gaps).toEqual([])
      const { peak, seconds } = await loudness(bytes, { rate, channels })
      expect(peak).toBe(0)
      expect(Math.abs(seconds - 10)).toBeLessThan(5 * (frame / rate))
    },
  )

  test('is a few bytes long', () => {
    expect(silence(voiceOf(3, 1))?.data(0).length).toBeLessThanOrEqual(4)
    expect(silence(voiceOf(3, 2))?.data(0).length).toBeLessThanOrEqual(8)
  })

  test('is not known for another kind of sound', () => {
    const { init, ...streamSound } = voiceOf(3, 2)
    expect(silence({ ...streamSound, init: { ...init, codec: 'mp4a.40.39' } })).toBeUndefined()
    expect(silence({ ...streamSound, init: { ...init, codec: 'mp4a.69' } })).toBeUndefined()
    const many = { channels: 6, sampleRate: 48_000 }
    expect(
      silence({ ...streamSound, init: { ...init, codec: 'Opus', audio: many } }),
    ).toBeUndefined()
  })
})

describe('the length of a frame is exact', () => {
  const { init } = voiceOf(3, 1)
  test.each([
    ['AAC-LC in its own ticks', { ...init }, 1024.2, 1024],
    [
      'AAC-LC in ticks of a millisecond',
      { ...init, timescale: 1000 },
      21.3,
      (1024 * 1000) / 48_000,
    ],
    [
      'with half of a doubled rate',
      { ...init, audio: { channels: 1, sampleRate: 24_000 } },
      2047,
      2048,
    ],
    ['of 960 samples', { ...init }, 958, 960],
  ] as const)('%s', (_what, facts, seen, ticks) => {
    const { ticks: whole, per } = frameLength(facts, seen)
    expect(whole / per).toBeCloseTo(ticks, 9)
  })
})
