import { type Fragment, startMs } from '../camera/fragment.ts'
import type { SessionRequest } from './request.ts'

/** A fragment in its place in one session's playlist. */
export interface Entry {
  readonly fragment: Fragment
  /** The index, which counts from 0 in each session. */
  readonly index: number
  readonly discontinuity: boolean
  /** Which codec private data of the session it needs; counts from 0. */
  readonly cpd: number
}

/** What a media playlist shows at one moment. */
export interface View {
  readonly entries: readonly Entry[]
  readonly mediaSequence: number
  readonly discontinuitySequence: number
  readonly ended: boolean
}

/** How far apart neighbours may be that KVS calls continuous. */
const TOLERANCE_MS = 50

/** Keeps one session's numbering of the fragments that it has shown: slides, and remembers what it counted. */
export class PlaylistWindow {
  readonly #request: Pick<SessionRequest, 'selector' | 'discontinuity' | 'maxFragments'>
  readonly #keepsAll: boolean
  #entries: Entry[] = []
  /** The index of the entry with each producer time. */
  readonly #byProducerMs = new Map<number, number>()
  #mediaSequence: number
  #discontinuitySequence = 0
  #next = 0
  #firstGeneration: number | undefined

  constructor(
    request: Pick<SessionRequest, 'selector' | 'discontinuity' | 'maxFragments'>,
    firstSequence: number,
    keepsAll: boolean,
  ) {
    this.#request = request
    this.#mediaSequence = firstSequence
    this.#keepsAll = keepsAll
  }

  get last(): Entry | undefined {
    return this.#entries.at(-1)
  }

  view(ended: boolean): View {
    return {
      entries: [...this.#entries],
      mediaSequence: this.#mediaSequence,
      discontinuitySequence: this.#discontinuitySequence,
      ended,
    }
  }

  /** Returns where the fragment has come to stand. */
  append(fragment: Fragment): Entry {
    const twin = this.#replaceTwin(fragment)
    if (twin !== undefined) return twin
    const previous = this.last
    const entry = {
      fragment,
      index: this.#next,
      discontinuity: this.#breaks(previous?.fragment, fragment),
      cpd: this.#cpdOf(fragment),
    }
    this.#entries.push(entry)
    this.#byProducerMs.set(fragment.producerMs, entry.index)
    this.#next += 1
    if (!this.#keepsAll && this.#entries.length > this.#request.maxFragments) this.#slide()
    return entry
  }

  #cpdOf({ generation }: Fragment): number {
    this.#firstGeneration ??= generation
    return generation - this.#firstGeneration
  }

  /**
   * Replaces a fragment of equal producer timestamp if the number is greater, because the greatest wins, and takes the
   * place of the other.
   */
  #replaceTwin(fragment: Fragment): Entry | undefined {
    if (this.#request.selector !== 'PRODUCER_TIMESTAMP') return undefined
    const index = this.#byProducerMs.get(fragment.producerMs)
    const at = index === undefined ? -1 : index - (this.#entries[0]?.index ?? 0)
    const twin = this.#entries[at]
    if (twin === undefined || twin.fragment.number > fragment.number) return twin
    const entry = { ...twin, fragment, cpd: this.#cpdOf(fragment) }
    this.#entries[at] = entry
    return entry
  }

  #breaks(previous: Fragment | undefined, next: Fragment): boolean {
    switch (this.#request.discontinuity) {
      case 'ALWAYS':
        return true
      case 'NEVER':
        return false
      case 'ON_DISCONTINUITY':
        return previous !== undefined && !this.#continues(previous, next)
    }
  }

  #continues(previous: Fragment, next: Fragment): boolean {
    const { selector } = this.#request
    const gap = startMs(next, selector) - startMs(previous, selector) - previous.durationMs
    return Math.abs(gap) <= TOLERANCE_MS && next.generation === previous.generation
  }

  #slide(): void {
    const gone = this.#entries.shift()
    if (gone !== undefined && this.#byProducerMs.get(gone.fragment.producerMs) === gone.index) {
      this.#byProducerMs.delete(gone.fragment.producerMs)
    }
    this.#mediaSequence += 1
    if (gone?.discontinuity === true) this.#discontinuitySequence += 1
  }
}
