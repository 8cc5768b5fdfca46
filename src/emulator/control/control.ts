import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Camera } from '../camera/camera.ts'
import { type CameraEvent, eventSchema } from '../camera/event.ts'
import type { Fragment } from '../camera/fragment.ts'
import { type CameraConfigInput, cameraConfigSchema, streamName } from '../config.ts'
import { type FaultInput, faultSchema } from '../service/fault.ts'
import type { Service } from '../service/service.ts'
import { type CameraPatch, patchConfig } from './camera-patch.ts'
import { readCounters } from './counters.ts'
import type { CameraView, Counters, FragmentView } from './views.ts'

/** Says that the emulator has no such camera or session. */
export class UnknownNameError extends Error {}

const SHOWN_EVENTS = 100

/** Changes the emulator while it runs. The HTTP control API offers the same. */
export class Control {
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
  }

  cameras(): readonly string[] {
    return [...this.#service.cameras.keys()]
  }

  camera(name: string): CameraView {
    return this.#view(this.#find(name))
  }

  /** Adds a camera under a new name. Throws RangeError when it is taken. */
  addCamera(name: string, config: CameraConfigInput): CameraView {
    this.#service.addCamera(streamName.parse(name), cameraConfigSchema.parse(config))
    return this.camera(name)
  }

  /**
   * Changes switches of a camera. Those that shape its fragments' times hold from the fragment in progress on, because
   * what has been shown stays as it was.
   */
  patchCamera(name: string, patch: CameraPatch): CameraView {
    const camera = this.#find(name)
    const before = timing(camera)
    camera.config = patchConfig(camera.config, patch)
    const after = timing(camera)
    if (!isDeepStrictEqual(before, after)) {
      camera.order({ type: 'timing', ...after }, this.#service.clock.now())
    }
    return this.#view(camera)
  }

  /** Makes something happen to a camera, now or at `atMs`. Throws RangeError for the past. */
  order(name: string, event: z.input<typeof eventSchema>, atMs?: number): void {
    const camera = this.#find(name)
    const now = this.#service.clock.now()
    if (atMs !== undefined && atMs < now) throw new RangeError('the past cannot be changed')
    camera.order(eventSchema.parse(event), atMs ?? now)
  }

  stopProducer(name: string): void {
    this.order(name, { type: 'stop' })
  }

  resumeProducer(name: string): void {
    this.order(name, { type: 'resume' })
  }

  addFault(name: string, fault: FaultInput): void {
    this.#find(name).faults.add(faultSchema.parse(fault))
  }

  clearFaults(name: string): void {
    this.#find(name).faults.clear()
  }

  /** Revokes the session with this id or token, or all of the camera. Returns how many. */
  revoke(name: string, session?: string): number {
    const meant = this.#service
      .sessionsOf(this.#find(name))
      .filter(({ id, token }) => session === undefined || id === session || token === session)
    if (session !== undefined && meant.length === 0) {
      throw new UnknownNameError(`no session ${session} of ${name}`)
    }
    for (const each of meant) each.revoke()
    return meant.length
  }

  /** Returns what has been ingested last, oldest first. */
  fragments(name: string, limit = 20): readonly FragmentView[] {
    const { timeline } = this.#find(name)
    const now = this.#service.clock.now()
    const found: Fragment[] = []
    for (let slot = timeline.slots.at(now); slot >= 0 && found.length < limit; slot -= 1) {
      const there = timeline.ingested(slot).filter(({ listedAtMs }) => listedAtMs <= now)
      found.unshift(...there)
    }
    return found.slice(-limit).map(viewFragment)
  }

  counters(): Counters {
    return readCounters(this.#service)
  }

  resetCounters(): void {
    this.#service.resetUsage()
  }

  #find(name: string): Camera {
    const camera = this.#service.cameras.get(name)
    if (camera === undefined) throw new UnknownNameError(`no camera ${name}`)
    return camera
  }

  #view(camera: Camera): CameraView {
    const { script, slots } = camera.timeline
    return {
      name: camera.name,
      arn: camera.arn,
      producing: !script.stopped(slots.at(this.#service.clock.now())),
      config: camera.config,
      faults: camera.faults.active,
      events: script.events.slice(-SHOWN_EVENTS).map(({ event, from }) => {
        return { event, fromMs: slots.startMs(from) }
      }),
    }
  }
}

function timing({ config }: Camera): Omit<Extract<CameraEvent, { type: 'timing' }>, 'type'> {
  const { ingestLatencyMs, ingestJitterMs, serverJitterMs } = config
  return { ingestLatencyMs, ingestJitterMs, serverJitterMs }
}

function viewFragment(fragment: Fragment): FragmentView {
  const { number, producerMs, serverMs, durationMs, listedAtMs, tracks, generation } = fragment
  return {
    number: String(number),
    producerMs,
    serverMs,
    durationMs,
    listedAtMs,
    tracks,
    generation,
  }
}
