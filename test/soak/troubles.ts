import type { Random } from '../../src/base/backoff.ts'
import type { CallFault, CameraEvent } from '../proof/emulator-control.ts'
import { between, pick } from '../proof/seeded-random.ts'
import type { Harm } from './excuses.ts'

/** What one stream can be made to suffer. */
export interface Victim {
  readonly event: (event: CameraEvent) => Promise<void>
  /** What its camera sends now. */
  readonly clip: () => string
  readonly fault: (fault: CallFault) => Promise<void>
  /** Takes back what no call has met. */
  readonly clearFaults: () => Promise<void>
  readonly revokeSessions: () => Promise<void>
  readonly rollOver: () => Promise<void>
  /** Chooses the source that is shown; undefined for a stream that has but one. */
  readonly force?: ((source: 'camera' | 'backup' | 'auto') => Promise<void>) | undefined
  /** How long viewers may have to wait for a slate or a backup when the camera stops; undefined: as long as it does. */
  readonly coveredWithinMs?: number | undefined
  readonly sleep: (ms: number) => Promise<void>
}

export interface Trouble {
  readonly name: string
  /** How often it is chosen, against the others. */
  readonly weight: number
  /** What it may do to viewers, whatever the gateway does. */
  readonly harms: readonly Harm[]
  /** The source is away: where another one or a slate stands in, that is the end of the harm. */
  readonly isAbsence?: true
  /** Can be made only where there are two sources. */
  readonly needsBackup?: true
  readonly inflict: (victim: Victim, random: Random) => Promise<void>
}

const MEDIA = ['GetMP4MediaFragment', 'GetHLSMediaPlaylist'] as const
const ANY = [...MEDIA, 'GetMP4InitFragment', 'GetHLSMasterPlaylist', '*'] as const

/** What only a new session asks for is met by nobody while the old one lasts. */
const OPENING: readonly string[] = ['GetMP4InitFragment', 'GetHLSMasterPlaylist']
/** A fault that nobody meets is over after this long: when it hits, and is an excuse, is known. */
const FAULT_MS = 12_000

const fault =
  (kind: string, operations: readonly string[], more: Readonly<Record<string, unknown>> = {}) =>
  async (victim: Victim, random: Random): Promise<void> => {
    const operation = pick(random, operations)
    await victim.fault({ kind, operation, times: between(random, 1, 4), ...more })
    if (OPENING.includes(operation) && random() < 0.5) await victim.revokeSessions()
    await victim.sleep(FAULT_MS)
    await victim.clearFaults()
  }

const pause =
  (leastS: number, mostS: number) =>
  async (victim: Victim, random: Random): Promise<void> => {
    await victim.event({ type: 'stop' })
    await victim.sleep(between(random, leastS, mostS) * 1000)
    await victim.event({ type: 'resume' })
  }

/** None has longer fragments than a stream's target duration foresees, none takes a track away. */
const CLIPS = ['av-360p', 'av-720p', 'hevc'] as const

const THROTTLED = { status: 400, type: 'ClientLimitExceededException', message: 'Slow down.' }

/** All that happens to KVS, to cameras and to streams of two sources. KVS.md, sections 7, 10 and 12. */
export const TROUBLES: readonly Trouble[] = [
  {
    name: 'sessions revoked',
    weight: 4,
    harms: [],
    inflict: (victim) => victim.revokeSessions(),
  },
  { name: 'roll-over by API', weight: 2, harms: [], inflict: (victim) => victim.rollOver() },
  {
    name: 'HTTP 500',
    weight: 3,
    harms: ['refuses'],
    inflict: fault('status', ANY, { status: 500 }),
  },
  {
    name: 'HTTP 503',
    weight: 2,
    harms: ['refuses'],
    inflict: fault('status', ANY, { status: 503 }),
  },
  { name: 'connection refused', weight: 2, harms: ['refuses'], inflict: fault('refuse', ANY) },
  { name: 'connection reset', weight: 3, harms: ['refuses'], inflict: fault('reset', ANY) },
  { name: 'truncated body', weight: 3, harms: ['refuses'], inflict: fault('truncate', ANY) },
  { name: 'garbage', weight: 3, harms: ['refuses'], inflict: fault('garbage', ANY) },
  { name: 'empty body', weight: 1, harms: ['refuses'], inflict: fault('empty', ANY) },
  {
    name: 'proxy error page',
    weight: 1,
    harms: ['refuses'],
    inflict: fault('html', ANY, { status: 502 }),
  },
  {
    name: 'throttled',
    weight: 2,
    harms: ['starves', 'refuses'],
    inflict: fault('status', ANY, THROTTLED),
  },
  {
    name: 'latency',
    weight: 2,
    harms: ['starves', 'refuses'],
    inflict: fault('latency', ANY, { ms: 2_000 }),
  },
  {
    name: 'slow body',
    weight: 1,
    harms: ['starves', 'refuses'],
    inflict: fault('slow', MEDIA, { bytesPerSecond: 40_000 }),
  },
  { name: 'short pause', weight: 2, harms: ['starves'], isAbsence: true, inflict: pause(2, 25) },
  { name: 'long stop', weight: 2, harms: ['starves'], isAbsence: true, inflict: pause(35, 60) },
  {
    name: 'backup by API',
    weight: 2,
    harms: ['starves'],
    isAbsence: true,
    needsBackup: true,
    inflict: async ({ force, sleep }, random) => {
      await force?.('backup')
      await sleep(between(random, 10, 25) * 1000)
      await force?.(pick(random, ['camera', 'auto']))
      await sleep(between(random, 1, 5) * 1000)
      await force?.('auto')
    },
  },
  {
    name: 'fragments dropped',
    weight: 2,
    harms: ['starves'],
    inflict: (victim, random) => victim.event({ type: 'drop', count: between(random, 1, 3) }),
  },
  {
    name: 'fragments late',
    weight: 2,
    harms: ['starves'],
    inflict: (victim, random) =>
      victim.event({ type: 'late', count: 1, ms: between(random, 3_000, 10_000) }),
  },
  {
    name: 'fragments duplicated',
    weight: 2,
    harms: [],
    inflict: (victim, random) =>
      victim.event({ type: 'duplicate', count: between(random, 1, 3), lag: between(random, 0, 3) }),
  },
  {
    name: 'fragments overlap',
    weight: 2,
    harms: [],
    inflict: (victim, random) =>
      victim.event({ type: 'overlap', count: 1, ms: between(random, 200, 800) }),
  },
  {
    name: 'codec private data',
    weight: 1,
    harms: [],
    inflict: (victim) => victim.event({ type: 'codec-private-data' }),
  },
  {
    name: 'clock skew',
    weight: 1,
    harms: [],
    inflict: (victim, random) =>
      victim.event({ type: 'skew', ms: pick(random, [-1, 1]) * between(random, 200, 2_000) }),
  },
  {
    name: 'clock drift',
    weight: 1,
    harms: [],
    inflict: (victim, random) => victim.event({ type: 'drift', ppm: between(random, -400, 400) }),
  },
  {
    name: 'two producers',
    weight: 1,
    harms: [],
    inflict: (victim, random) =>
      victim.event({
        type: 'alternate',
        count: between(random, 2, 8),
        every: between(random, 1, 3),
        ms: between(random, -2_000, 2_000),
      }),
  },
  {
    name: 'restless encoder',
    weight: 1,
    harms: [],
    inflict: (victim, random) =>
      victim.event({ type: 'codec-private-data', changes: between(random, 2, 10) }),
  },
  {
    // Loading fails until there is a new session, and the camera has gone on meanwhile.
    name: 'another codec or size',
    weight: 1,
    harms: ['starves', 'changes codec'],
    inflict: (victim, random) => {
      // The same clip begun anew joins without a discontinuity, but not to the millisecond.
      const others = CLIPS.filter((clip) => clip !== victim.clip())
      return victim.event({ type: 'clip', clip: pick(random, others) })
    },
  },
  {
    name: 'giant fragment',
    weight: 1,
    harms: ['starves'],
    inflict: (victim, random) =>
      victim.event({ type: 'giant', count: 1, bytes: between(random, 1, 20) * 1_000_000 }),
  },
  {
    name: 'producer reconnects',
    weight: 1,
    harms: [],
    inflict: (victim) => victim.event({ type: 'reconnect' }),
  },
]

/** One of the troubles that can be made for this victim, by weight. */
export function chooseTrouble(random: Random, { force }: Pick<Victim, 'force'>): Trouble {
  const troubles = TROUBLES.filter(
    ({ needsBackup }) => needsBackup === undefined || force !== undefined,
  )
  let left = random() * troubles.reduce((sum, { weight }) => sum + weight, 0)
  const chosen = troubles.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  if (chosen === undefined) throw new RangeError('no trouble to choose from')
  return chosen
}
