import type { CameraEvent } from '../camera/event.ts'
import type { CameraConfig } from '../config.ts'
import type { Fault } from '../service/fault.ts'
import type { SessionState } from '../session/session.ts'
import type { UsageView } from '../usage/usage.ts'

/** What the control API shows. All times are in milliseconds since 1970. */
export interface CameraView {
  readonly name: string
  readonly arn: string
  readonly producing: boolean
  readonly config: CameraConfig
  readonly faults: readonly Fault[]
  /** The latest events, oldest first, each with the start of the first fragment that it touches. */
  readonly events: readonly { readonly event: CameraEvent; readonly fromMs: number }[]
}

export interface FragmentView {
  readonly number: string
  readonly producerMs: number
  readonly serverMs: number
  readonly durationMs: number
  readonly listedAtMs: number
  readonly tracks: readonly string[]
  /** How often the stream's codec private data changed before it. */
  readonly generation: number
}

export interface SessionView extends UsageView {
  readonly id: string
  readonly token: string
  readonly camera: string
  readonly mode: string
  readonly state: SessionState
  readonly openedMs: number
  readonly expiresMs: number
  readonly lastUsedMs: number | null
  /** The most calls that any one second has seen, by operation. */
  readonly maxPerSecond: Readonly<Record<string, number>>
  /** How many calls were beyond the quota, by operation. */
  readonly quotaViolations: Readonly<Record<string, number>>
}

export interface CameraCounters extends UsageView {
  readonly sessionsOpened: number
  /** How many are not expired, not revoked, and used at least once. */
  readonly openSessions: number
  /** How many of these were used within the last 30 seconds. */
  readonly activeSessions: number
  /** The most in any one second, by operation; `metadataPoints` and `mediaPoints` too. */
  readonly maxPerSecond: Readonly<Record<string, number>>
  readonly quotaViolations: Readonly<Record<string, number>>
  /** How often fragments were fetched, by FragmentNumber, then by track number. */
  readonly fragments: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export interface Counters {
  readonly cameras: Readonly<Record<string, CameraCounters>>
  /** The calls that named no camera of this emulator. */
  readonly other: UsageView
  /** The sessions, oldest first. */
  readonly sessions: readonly SessionView[]
}
