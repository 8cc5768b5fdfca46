import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { Tolerances } from '../proof/media-rules.ts'
import { pairs } from '../support/pairs.ts'
import { cameraOf } from '../support/world.ts'
import { type PastStage, startPast } from './support/past.ts'

/**
 * What plays of the past: container, fragment selector, discontinuity mode, tracks and base of decode times by pairs,
 * and each switch of what AWS does not document. All rows play in one world.
 */
interface Row {
  readonly title: string
  readonly name: string
  readonly camera: CameraConfigInput
  readonly kvs: Readonly<Record<string, unknown>>
  readonly renditions: readonly string[]
}

const CONTAINERS = ['FRAGMENTED_MP4', 'MPEG_TS'] as const
const SELECTORS = ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'] as const
const MODES = ['ON_DISCONTINUITY', 'ALWAYS', 'NEVER'] as const
const BASES = ['epoch', 'session', 'fragment'] as const
const CLIPS = ['av-360p', 'video-only', 'audio-only', 'hevc'] as const

const SWITCHES: readonly [string, CameraConfigInput][] = [
  ['MEDIA-SEQUENCE from 1', { mediaSequenceStart: 1 }],
  ['MAP without SequenceNumber', { mapSequenceNumber: false }],
  ['FragmentNumbers of the session', { fragmentUri: 'index' }],
  ['DISCONTINUITY-SEQUENCE upstream', { discontinuitySequence: true }],
  ['tfdt in 32 bits', { tfdtVersion: 0, tfdtBase: 'session' }],
  ['styp, sidx and five moofs', { styp: true, sidx: true, moofs: 5 }],
  ['mfhd always 1', { mfhd: 'one' }],
  ['EXTINF 40 ms off', { extinfErrorMs: 40 }],
  ['plain numbers, bare headers', { numberFormat: 'plain', errorHeaders: 'none', cors: false }],
  ['slow ingestion that wavers', { ingestLatencyMs: 1_500, ingestJitterMs: 800 }],
  ['fragments of irregular length', { clip: 'av-360p-irregular' }],
]

function renditionsOf(clip: string): readonly string[] {
  if (clip === 'video-only') return ['video']
  return clip === 'audio-only' ? ['audio'] : ['video', 'audio']
}

function rows(): readonly Row[] {
  const table = pairs({
    clip: CLIPS,
    tfdtBase: BASES,
    discontinuityMode: MODES,
    containerFormat: CONTAINERS,
    fragmentSelectorType: SELECTORS,
  }).map(({ clip, tfdtBase, ...kvs }) => ({
    title: [...Object.values(kvs), clip, tfdtBase].join(', '),
    camera: { clip, tfdtBase },
    kvs,
    renditions: renditionsOf(clip),
  }))
  const switches = SWITCHES.map(([title, camera]) => ({
    title,
    camera: { clip: 'av-360p', ...camera } as const,
    kvs: {},
    renditions: ['video', 'audio'],
  }))
  return [...table, ...switches].map((row, i) => ({ ...row, name: `row-${i}` }))
}

function tolerancesOf({ camera, kvs }: Row): Partial<Tolerances> {
  return {
    // Dates of arrival waver: neighbours are then joined by their lengths, which come in milliseconds.
    ...(kvs['fragmentSelectorType'] === 'SERVER_TIMESTAMP' ? { jumpMs: 2 } : {}),
    // A list of what has both tracks in one says how long the picture is; the sound is up to a frame off.
    ...(kvs['containerFormat'] === 'MPEG_TS' ? { extinfMs: 22, pdtMs: 22 } : { pdtMs: 1 }),
    ...(camera.extinfErrorMs === undefined ? {} : { extinfMs: 41, pdtMs: 22 }),
  }
}

describe('ON_DEMAND', () => {
  const table = rows()
  let stage: PastStage

  beforeAll(async () => {
    stage = await startPast({
      cameras: Object.fromEntries(table.map(({ name, camera }) => [name, camera])),
      config: {
        streams: Object.fromEntries(
          table.map(({ name, kvs }) => [name, { kvs: { streamName: cameraOf(name), ...kvs } }]),
        ),
      },
    })
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  test.each(table)('G2, G4: $title', async (row) => {
    const { name, renditions } = row
    const endMs = stage.clock.now() - 60_000
    const tolerances = tolerancesOf(row)
    const verdict = await stage.judge(stage.url(endMs - 12_000, endMs, name), tolerances)
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(verdict.segments).toBeGreaterThanOrEqual(4)
    expect(Object.keys(verdict.decoded)).toEqual(renditions)
    for (const { warnings, runs, gaps, frames } of Object.values(verdict.decoded)) {
      expect({ warnings, runs }).toEqual({ warnings: [], runs: 1 })
      expect(gaps.filter(({ gapMs }) => Math.abs(gapMs) > (tolerances.jumpMs ?? 1))).toEqual([])
      expect(frames).toBeGreaterThan(80)
    }
    expect(stage.world.counters(name).quotaViolations).toEqual({})
  })
})
