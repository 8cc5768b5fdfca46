import type { Camera } from '../camera/camera.ts'
import type { Fragment } from '../camera/fragment.ts'
import type { FragmentSource } from './fragment-source.ts'
import type { SessionRequest } from './request.ts'
import { type Range, select } from './selection.ts'

/**
 * Feeds LIVE_REPLAY sessions: the past as if it were live. A fragment joins once its predecessor has had the time to
 * play, and not before it exists.
 */
export class ReplaySource implements FragmentSource {
  readonly #camera: Camera
  readonly #selector: SessionRequest['selector']
  readonly #range: Range
  #slot = 0
  #last = 0n
  #dueMs: number

  constructor(
    camera: Camera,
    selector: SessionRequest['selector'],
    range: Range,
    openedMs: number,
  ) {
    this.#camera = camera
    this.#selector = selector
    this.#range = range
    this.#dueMs = openedMs
  }

  take(nowMs: number): readonly Fragment[] {
    const taken: Fragment[] = []
    for (const fragment of this.#upcoming(nowMs)) {
      if (Math.max(this.#dueMs, fragment.listedAtMs) > nowMs) break
      taken.push(fragment)
      this.#last = fragment.number
      this.#slot = fragment.slot
      this.#dueMs = Math.max(this.#dueMs, fragment.listedAtMs) + fragment.durationMs
    }
    return taken
  }

  ended(nowMs: number): boolean {
    if (nowMs < this.#range.endMs + this.#camera.timeline.reachMs) return false
    return this.#upcoming(nowMs).next().done === true
  }

  /** Yields what follows the last one taken, in order; passes over what newer fragments have overtaken. */
  *#upcoming(nowMs: number): Generator<Fragment> {
    const { timeline } = this.#camera
    const stored = { nowMs, oldestMs: this.#camera.oldestMs(nowMs), fromSlot: this.#slot }
    for (const fragment of select(timeline, this.#selector, this.#range, stored)) {
      const missed = fragment.listedAtMs > nowMs && timeline.overtaken(fragment, nowMs)
      if (fragment.number > this.#last && !missed) yield fragment
    }
  }
}
