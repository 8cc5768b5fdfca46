import { readMedia } from '../../src/formats/mp4/media.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { readSamples } from '../../src/formats/mp4/samples.ts'
import { type LiteralSample, literalFragment, literalInit } from '../support/literal-fragment.ts'
import type { BenchReport } from './bench-report.ts'

const VIDEO = literalInit('avc', 90_000)
const AUDIO = literalInit('aac', 48_000)

/** Two seconds of 30 pictures a second at 2 Mbit/s, and of sound. */
const FRAGMENTS = [
  { track: 'video', ...VIDEO, bytes: literalFragment(VIDEO, 2 ** 47, samples(60, 3_000, 8_000)) },
  { track: 'audio', ...AUDIO, bytes: literalFragment(AUDIO, 2 ** 46, samples(94, 1_024, 170)) },
]

const ROUNDS = 2_000

/** What each fragment costs between its last byte from upstream and the store. */
export function run(): Promise<BenchReport> {
  const rows = FRAGMENTS.flatMap(({ track, init, bytes }) => {
    const ways: readonly (readonly [string, () => unknown])[] = [
      ['verify', () => readMedia(bytes, init)],
      ['read all samples', () => readSamples(bytes, init)],
      ['write times', () => rewriteMedia(bytes, { baseTicks: 2 ** 46, sequenceNumber: 1 })],
    ]
    return ways.map(([step, way]) => ({ track, step, 'µs a fragment': medianUs(way) }))
  })
  return Promise.resolve({ name: 'fragment', what: 'fragments of 2 s, in this process', rows })
}

function medianUs(way: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now()
    way()
    return (performance.now() - began) * 1_000
  })
  return times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0
}

function samples(count: number, durationTicks: number, bytes: number): LiteralSample[] {
  return Array.from({ length: count }, (_, i) => ({
    durationTicks,
    compositionTicks: 0,
    bytes,
    isSync: i === 0,
  }))
}
