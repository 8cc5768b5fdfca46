import { z } from 'zod'
import { JsonApi } from './json-api.ts'

/** One-off events of a camera and faults of its calls: see the emulator's README. */
export type CameraEvent = { readonly type: string } & Readonly<Record<string, unknown>>
export type CallFault = { readonly kind: string } & Readonly<Record<string, unknown>>

const cameraCountersSchema = z.looseObject({
  /** Calls by operation and status. */
  calls: z.record(z.string(), z.record(z.string(), z.number())),
  bytes: z.number(),
  sessions: z.looseObject({ open: z.number(), maxOpen: z.number() }),
  quotaViolations: z.number(),
})

export type CameraCounters = z.output<typeof cameraCountersSchema>

const fragmentSchema = z.looseObject({
  number: z.string(),
  producerMs: z.number(),
  serverMs: z.number(),
  durationMs: z.number(),
  listedAtMs: z.number(),
})

export type EmulatedFragment = z.output<typeof fragmentSchema>

/** The emulator's control API over HTTP. */
export class EmulatorControl {
  readonly #api: JsonApi

  constructor(url: string) {
    this.#api = new JsonApi(`${url}/control`)
  }

  async event(camera: string, event: CameraEvent): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/events`, z.unknown(), event)
  }

  async fault(camera: string, fault: CallFault): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/faults`, z.unknown(), fault)
  }

  async revokeSessions(camera: string): Promise<void> {
    await this.#api.call('POST', `/cameras/${camera}/sessions/revoke`, z.unknown())
  }

  async counters(camera: string): Promise<CameraCounters> {
    return this.#api.call('GET', `/cameras/${camera}/counters`, cameraCountersSchema)
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
  return chosen.flatMap((byStatus) => Object.values(byStatus)).reduce((sum, n) => sum + n, 0)
}
