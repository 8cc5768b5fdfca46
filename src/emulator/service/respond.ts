import type { Camera } from '../camera/camera.ts'
import type { Session } from '../session/session.ts'
import { type Answer, errorAnswer, withRequestId } from './answer.ts'
import { type Delivery, deliver, insteadOf, latencyMs } from './delivery.ts'
import { KvsError } from './kvs-error.ts'
import type { Operation } from './operation.ts'
import type { Service } from './service.ts'

export interface Caller {
  readonly operation: Operation
  readonly camera: Camera | undefined
  readonly session: Session | undefined
  readonly fragment: string | undefined
  readonly track: string | undefined
}

/** Stands for the camera of calls that name none of ours. */
export const NO_CAMERA = '-'

/** How a refusal is written down. */
export type Wording = (error: KvsError, requestId: string) => Answer

/**
 * Answers one call: latency, faults, the operation itself, usage. `work` throws KvsError for what AWS would refuse.
 * Rejects only when the signal aborts.
 */
export async function respond(
  service: Service,
  caller: Caller,
  signal: AbortSignal,
  work: (nowMs: number, requestId: string) => Answer,
  wording?: Wording,
): Promise<Delivery> {
  const { camera, operation, track } = caller
  const config = camera?.config
  const faults =
    camera?.faults.strike(operation, track === undefined ? undefined : Number(track)) ?? []
  const waitMs = (config?.latencyMs ?? 0) + latencyMs(faults)
  if (waitMs > 0) await service.clock.sleep(waitMs, signal)
  const spelling = config?.errorHeaders ?? 'both'
  const id = requestId(service)
  const refuse = (error: KvsError): Answer =>
    wording === undefined ? errorAnswer(error, spelling) : wording(error, id)
  const answer = insteadOf(faults, refuse) ?? attempt(() => work(service.clock.now(), id), refuse)
  const identified = withRequestId(answer, id, spelling)
  const delivery = deliver(dated(service, camera, identified), faults, service.random)
  record(service, caller, delivery)
  return delivery
}

/** Returns how far AWS's date is off the one that we believe in, in calls for this camera. */
export function clockOffsetMs({ config }: Service, camera: Camera | undefined): number {
  const ofCamera = camera?.config.clockOffsetMs ?? 0
  return ofCamera === 0 ? config.clockOffsetMs : ofCamera
}

function dated(service: Service, camera: Camera | undefined, answer: Answer): Answer {
  const date = new Date(service.date() + clockOffsetMs(service, camera)).toUTCString()
  return { ...answer, headers: { ...answer.headers, date } }
}

function attempt(work: () => Answer, refuse: (error: KvsError) => Answer): Answer {
  try {
    return work()
  } catch (error) {
    if (error instanceof KvsError) return refuse(error)
    throw error
  }
}

function record(service: Service, caller: Caller, { answer, reset }: Delivery): void {
  service.usage.record({
    camera: caller.camera?.name ?? NO_CAMERA,
    operation: caller.operation,
    session: caller.session?.id,
    status: reset === 'before' ? 0 : answer.status,
    bytes: reset === 'half-way' ? Math.floor(answer.body.length / 2) : answer.body.length,
    fragment: caller.fragment,
    track: caller.track,
  })
}

/** Returns a version 4 UUID, as AWS's request ids are. */
function requestId({ random }: Service): string {
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`
}
