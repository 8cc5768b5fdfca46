import type { KvsObservations, Trace } from '../../trace/trace.ts'
import { readTrace } from '../../trace/trace-file.ts'
import type { CameraConfigInput, EmulatorConfig } from '../config.ts'
import { answersOf } from './answers-of.ts'
import { cadenceOf } from './cadence.ts'
import { byStream, differencesOf } from './differences-of.ts'
import { listsOf } from './lists-of.ts'
import { mediaOf } from './media-of.ts'
import { recordingOf } from './recording-of.ts'

/** An account whose streams behave as those of a trace. */
export interface Replay {
  readonly config: EmulatorConfig
  /** What is not as it was, one line each. */
  readonly differences: readonly string[]
}

const HOUR_MS = 3_600_000
const STATUSES = ['CREATING', 'ACTIVE', 'UPDATING', 'DELETING'] as const

/**
 * Makes of a trace, as `doctor --trace` wrote it, streams that the doctor would say the same of.
 * @throws TraceError
 */
export function replayFile(text: string, nowMs: number): Replay {
  return replay(readTrace(text), nowMs)
}

export function replay({ streams }: Trace, nowMs: number): Replay {
  const differences: (readonly [stream: string, difference: string])[] = []
  const cameras = streams.flatMap(({ name, observations }) => {
    if (observations.kind === 'hls') {
      differences.push([name, 'an HLS origin is not replayed'])
      return []
    }
    differences.push(...differencesOf(observations).map((text) => [name, text] as const))
    return [[name, cameraOf(observations, nowMs)] as const]
  })
  const [first] = streams.flatMap(({ observations }) => {
    return observations.kind === 'kvs' ? [observations] : []
  })
  const { clockOffsetMs } = first === undefined ? {} : answersOf(first)
  const region = first?.settings.region ?? undefined
  return {
    config: {
      cameras: Object.fromEntries(cameras),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
      ...(region === undefined || !/^[a-z0-9-]+$/.test(region) ? {} : { region }),
    },
    differences: byStream(differences),
  }
}

function cameraOf(seen: KvsObservations, nowMs: number): CameraConfigInput {
  const media = mediaOf(seen, nowMs)
  const lists = listsOf(seen)
  const recorded = recordingOf(seen, cadenceOf(seen), nowMs) ?? unrecorded(seen, nowMs)
  return {
    ...streamOf(seen),
    ...media,
    ...lists,
    ...answersOf(seen),
    ...recorded,
    events: [media, lists, recorded].flatMap(({ events = [] }) => events),
  }
}

function streamOf({ described, tier, elsewhere }: KvsObservations): CameraConfigInput {
  const status = STATUSES.find((name) => name === described?.status)
  const [region] = elsewhere ?? []
  return {
    ...(status === undefined ? {} : { status }),
    ...(described === undefined ? {} : { retentionHours: Math.round(described.retentionHours) }),
    ...(described?.mediaType === undefined ? {} : { mediaType: described.mediaType }),
    kms: described?.ownKey === true ? 'own-key' : 'aws-key',
    storageTier: tier === 'WARM' ? 'WARM' : 'HOT',
    ...(region === undefined ? {} : { region }),
  }
}

/** Returns when a producer was away of whom no fragment was listed: long ago, or always. */
function unrecorded({ listing, recorded }: KvsObservations, nowMs: number): CameraConfigInput {
  if (listing === undefined) return {}
  const stop = { type: 'stop' } as const
  return {
    anchorMs: nowMs - 24 * HOUR_MS,
    events: [recorded === true ? { atMs: nowMs - HOUR_MS, event: stop } : { event: stop }],
  }
}
