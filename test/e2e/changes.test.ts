import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { cameraOf } from '../support/world.ts'
import { discontinuities, type Stage, startStage } from './support/stage.ts'

type Event = Parameters<Emulator['control']['order']>[1]

/** Something that happens to a camera, and why players must reset then. */
interface Change {
  readonly what: string
  readonly happen: readonly (Event | { readonly passMs: number })[]
  readonly causes: readonly string[]
  readonly camera?: CameraConfigInput
  readonly kvs?: Readonly<Record<string, unknown>>
  /** Whether it is read from the media, and so has to be tried in the other container too. */
  readonly inMedia?: boolean
}

const SERVER_CLOCK = { fragmentSelectorType: 'SERVER_TIMESTAMP' }

const CHANGES: readonly Change[] = [
  { what: 'a fragment is lost', happen: [{ type: 'drop' }], causes: ['gap'] },
  {
    what: 'the producer pauses for ten seconds',
    happen: [{ type: 'stop' }, { passMs: 10_000 }, { type: 'resume' }],
    causes: ['gap'],
  },
  {
    what: 'a fragment begins 500 ms before its predecessor ends',
    inMedia: true,
    happen: [{ type: 'overlap', ms: 500 }],
    causes: ['overlap', 'gap'],
  },
  {
    what: 'the producer’s clock leaps an hour ahead',
    happen: [{ type: 'skew', ms: 3_600_123 }],
    causes: ['gap'],
  },
  {
    what: 'the producer’s clock falls back into what is listed',
    happen: [{ type: 'skew', ms: -5_123 }],
    causes: ['overlap'],
  },
  {
    what: 'the codec private data changes, with SequenceNumber on its MAP',
    happen: [{ type: 'codec-private-data' }],
    causes: ['init'],
  },
  {
    what: 'the codec private data changes, without',
    inMedia: true,
    happen: [{ type: 'codec-private-data' }],
    causes: ['init'],
    camera: { mapSequenceNumber: false },
  },
  {
    what: 'the codec private data changes with each of three fragments',
    inMedia: true,
    happen: [1, 2, 3].flatMap(() => [{ type: 'codec-private-data' } as const, { passMs: 1_000 }]),
    causes: ['init', 'init', 'init'],
    camera: { mapSequenceNumber: false },
  },
  {
    what: 'the codec private data changes more often than a session bears',
    happen: [1, 2, 3, 4, 5].flatMap(() => [
      { type: 'codec-private-data' } as const,
      { passMs: 7_000 },
    ]),
    causes: ['init', 'init', 'init', 'init', 'init'],
    camera: { cpdChangeLimit: 2 },
  },
  {
    what: 'the codec private data changes where a fragment is lost',
    inMedia: true,
    happen: [{ type: 'drop' }, { type: 'codec-private-data' }],
    causes: ['gap'],
  },
  {
    what: 'sound is switched off and, before it has left the list, on again',
    inMedia: true,
    happen: [
      { type: 'tracks', video: true, audio: false },
      { passMs: 3_000 },
      { type: 'tracks', video: true, audio: true },
    ],
    causes: ['tracks', 'tracks'],
  },
  {
    what: 'sound is switched off and, long after, on again',
    happen: [
      { type: 'tracks', video: true, audio: false },
      { passMs: 25_000 },
      { type: 'tracks', video: true, audio: true },
    ],
    causes: ['tracks', 'tracks'],
  },
  {
    what: 'the picture is switched off and on again',
    inMedia: true,
    happen: [
      { type: 'tracks', video: false, audio: true },
      { passMs: 10_000 },
      { type: 'tracks', video: true, audio: true },
    ],
    causes: ['tracks', 'tracks'],
  },
  {
    what: 'a fragment arrives twice, before it is published',
    happen: [{ type: 'duplicate', lag: 0 }],
    causes: [],
  },
  {
    what: 'a fragment arrives again, after it was published',
    happen: [{ type: 'duplicate', lag: 2 }],
    causes: [],
  },
  {
    what: 'a fragment arrives twice, dated by the server',
    happen: [{ type: 'duplicate', lag: 0 }],
    causes: ['overlap'],
    kvs: SERVER_CLOCK,
  },
  {
    what: 'a fragment comes late, behind newer ones',
    happen: [{ type: 'late', ms: 5_000 }],
    causes: ['gap'],
  },
  {
    what: 'the producer connects anew without a pause',
    happen: [{ type: 'reconnect' }],
    causes: [],
  },
]

/** Two of the ways in which KVS answers for a camera that is away; `signal-loss` has all. */
const SILENCES = (
  [
    ['frozen', false],
    ['empty', true],
  ] as const
).map(
  ([silence, reviveAfterSilence]): Change => ({
    what: `the producer is away for 50 s, answered by ${silence}, and the session ${reviveAfterSilence ? 'revives' : 'is lost'}`,
    happen: [{ type: 'stop' }, { passMs: 50_000 }, { type: 'resume' }],
    causes: ['gap'],
    camera: { silence, reviveAfterSilence },
  }),
)

/** The same in the other container, where a fragment brings its codec private data and tracks itself. */
const IN_TS = CHANGES.filter(({ inMedia }) => inMedia === true).map((change): Change => {
  const kvs = { ...change.kvs, containerFormat: 'MPEG_TS' }
  return { ...change, what: `in MPEG-TS, ${change.what}`, kvs }
})

// Vitest cuts `$what` short, `%s` not.
const NAMED = [...CHANGES, ...SILENCES, ...IN_TS].map((change) => [change.what, change] as const)

test.each(NAMED)('G4: %s', async (_what, { happen, causes, camera, kvs = {} }) => {
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p', ...camera } },
    defaults: { kvs },
  })
  await stage.pass(12_000)
  for (const step of happen) await take(stage, step)
  // Until all that happened has left the list.
  await stage.pass(20_000)

  expect(discontinuities(stage)).toEqual(causes)
  const verdict = await stage.verdict()
  expect(verdict).toMatchObject({ faults: [], discontinuities: causes.length, missed: 0 })
  const continuous = { warnings: [], gaps: [] }
  expect(verdict.decoded).toMatchObject({ video: continuous, audio: continuous })
})

async function take(stage: Stage, step: Change['happen'][number]): Promise<void> {
  if ('passMs' in step) await stage.pass(step.passMs)
  else stage.world.control.order(cameraOf(), step)
}
