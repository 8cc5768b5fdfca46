import { z } from 'zod'
import { JsonApi } from './json-api.ts'

/** One-off events of a camera and faults of its calls: see the emulator's README. */
export type CameraEvent = { readonly type: string } & Readonly<Record<string, unknown>>
export type CallFault = { readonly kind: string } & Readonly<Record<string, unknown>>

const counts = z.record(z.string(), z.number())

const cameraCountersSchema = z.looseObject({
  /** By operation, then HTTP status; 0 stands for a reset without an answer. */
  calls: z.record(z.string(), counts),
  /** By operation, of successful calls. */
  bytes: counts,
  /** Calls beyond a quota, by operation. */
  quotaViolations: counts,
})

const sessionSchema = z.looseObject({
  id: z.string(),
  camera: z.string(),
  mode: z.string(),
  openedMs: z.number(),
  lastUsedMs: z.number().nullable(),
  quotaViolations: counts,
})

const countersSchema = z.looseObject({
  cameras: z.record(z.string(), cameraCountersSchema),
  sessions: z.array(sessionSchema),
})

const fragmentSchema = z.looseObject({
  number: z.string(),
  producerMs: z.number(),
  serverMs: z.number(),
  durationMs: z.number(),
  listedAtMs: z.number(),
})

export type EmulatedFragment = z.output<typeof fragmentSchema>

/** What the emulator counted for one camera since it started. */
export interface CameraCounters {
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly bytes: number
  readonly sessionsOpened: number
  /** The most LIVE sessions that were in use at one time. */
  readonly sessionsAtOnce: number
  readonly quotaViolations: number
}

/** The emulator's control API over HTTP. */
export class EmulatorControl {
  readonly #api: JsonApi

  constructor(url: string) {
    this.#api = new JsonApi(`${url}/control`)
  }

  async event(camera: string, event: CameraEvent): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/events`, z.unknown(), { event })
  }

  async fault(camera: string, fault: CallFault): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/faults`, z.unknown(), fault)
  }

  /** Withdraws all faults that have not been met yet. */
  async clearFaults(camera: string): Promise<void> {
    await this.#api.call('DELETE', `/cameras/${camera}/faults`, z.unknown())
  }

  async revokeSessions(camera: string): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/revoke`, z.unknown())
  }

  /** @throws Error for a camera that the emulator does not have */
  async counters(camera: string): Promise<CameraCounters> {
    const all = await this.#api.call('GET', '/counters', countersSchema)
    const counted = all.cameras[camera]
    if (counted === undefined) throw new Error(`the emulator has no camera ${camera}`)
    const sessions = all.sessions.filter((session) => session.camera === camera)
    const violations = [counted, ...sessions].map(({ quotaViolations }) => total(quotaViolations))
    return {
      calls: counted.calls,
      bytes: total(counted.bytes),
      sessionsOpened: sessions.length,
      sessionsAtOnce: mostAtOnce(sessions.filter(({ mode }) => mode === 'LIVE')),
      quotaViolations: violations.reduce((sum, count) => sum + count, 0),
    }
  }

  /** The newest fragments that the camera's playlists have listed, oldest first. */
  async fragments(camera: string): Promise<readonly EmulatedFragment[]> {
    const schema = z.looseObject({ fragments: z.array(fragmentSchema) })
    return (await this.#api.call('GET', `/cameras/${camera}/fragments`, schema)).fragments
  }
}

/** Calls of one operation, or of all, whatever their status. */
export function callsOf({ calls }: CameraCounters, operation?: string): number {
  const chosen = operation === undefined ? Object.values(calls) : [calls[operation] ?? {}]
  return chosen.reduce((sum, byStatus) => sum + total(byStatus), 0)
}

const total = (byName: Readonly<Record<string, number>>): number =>
  Object.values(byName).reduce((sum, count) => sum + count, 0)

interface Use {
  readonly openedMs: number
  readonly lastUsedMs: number | null
}

/**
 * KVS sessions cannot be closed, only left alone. So a session counts from its opening to its last use; one
 * that was never used does not.
 */
export function mostAtOnce(sessions: readonly Use[]): number {
  const used = sessions.flatMap(({ openedMs, lastUsedMs }) =>
    lastUsedMs === null ? [] : [{ openedMs, lastUsedMs }],
  )
  const at = (ms: number): number =>
    used.filter(({ openedMs, lastUsedMs }) => openedMs <= ms && ms <= lastUsedMs).length
  return Math.max(0, ...used.map(({ openedMs }) => at(openedMs)))
}
