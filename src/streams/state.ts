import type { ErrorCode } from '../base/errors.ts'
import { isPermanent } from '../sources/trouble.ts'
import type { StreamState } from './stream.ts'

/** What a stream's state follows from. Times are in milliseconds since 1970. */
export interface Signs {
  readonly running: boolean
  readonly startedMs: number
  /** When the newest fragment was complete here; undefined before the first, or since an idle stop. */
  readonly receivedMs: number | undefined
  /** The trouble that upstream is in, as a code of the contract; undefined while all is well. */
  readonly trouble: ErrorCode | undefined
  /** Whether the gateway fills the time by itself. */
  readonly slated: boolean
  /** Whether the list says that nothing more will come. */
  readonly ended: boolean
}

export interface StateRules {
  readonly startTimeoutMs: number
  /** How long no fragment may come before the signal counts as lost. */
  readonly signalLossAfterMs: number
}

/** How long KVS waits for a fragment before it calls a stream "no media". KVS.md, section 7.2. */
const OFFLINE_AFTER_MS = 30_000

/** Tells the state of a stream at `nowMs`. Contract, sections 3 and 5.3 (G11). */
export function stateOf(signs: Signs, rules: StateRules, nowMs: number): StreamState {
  const { running, startedMs, receivedMs, trouble, slated } = signs
  if (!running) return 'idle'
  if (signs.ended) return 'ended'
  const silenceMs = nowMs - (receivedMs ?? startedMs)
  if (receivedMs !== undefined && silenceMs < rules.signalLossAfterMs) return 'live'
  if (slated) return 'slate'
  if (trouble !== undefined && isPermanent(trouble)) return 'failed'
  if (receivedMs === undefined) return silenceMs < rules.startTimeoutMs ? 'starting' : 'offline'
  return silenceMs < OFFLINE_AFTER_MS ? 'stale' : 'offline'
}
