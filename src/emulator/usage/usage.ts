import type { Operation } from '../service/operation.ts'

/** One answered call. */
export interface UsedCall {
  readonly camera: string
  readonly operation: Operation
  readonly session: string | undefined
  readonly status: number
  readonly bytes: number
  /** The FragmentNumber and TrackNumber as asked for. */
  readonly fragment: string | undefined
  readonly track: string | undefined
}

export type Counts = Readonly<Record<string, number>>

/** The calls and bytes of one camera or session. */
export interface UsageView {
  /** The calls by operation, then HTTP status; 0 stands for a reset without an answer. */
  readonly calls: Readonly<Record<string, Counts>>
  /** The body bytes by operation, successful calls only. */
  readonly bytes: Counts
}

/** How many are remembered; beyond these the oldest are forgotten. */
const MOST_FRAGMENTS = 20_000
const MOST_SESSIONS = 10_000

class Tally {
  readonly #calls = new Map<string, Map<string, number>>()
  readonly #bytes = new Map<string, number>()

  add({ operation, status, bytes }: UsedCall): void {
    const statuses = this.#calls.get(operation) ?? new Map<string, number>()
    this.#calls.set(operation, statuses)
    increase(statuses, String(status), 1)
    if (status === 200) increase(this.#bytes, operation, bytes)
  }

  view(): UsageView {
    const calls = [...this.#calls].map(([operation, statuses]) => {
      return [operation, Object.fromEntries(statuses)] as const
    })
    return { calls: Object.fromEntries(calls), bytes: Object.fromEntries(this.#bytes) }
  }
}

/** Records who called what, how often, and how many bytes that was. */
export class Usage {
  readonly #cameras = new Map<string, Tally>()
  readonly #sessions = new Map<string, Tally>()
  readonly #fragments = new Map<string, Map<string, Map<string, number>>>()
  #fragmentCount = 0

  record(call: UsedCall): void {
    tally(this.#cameras, call.camera).add(call)
    if (call.session !== undefined) this.#recordSession(call, call.session)
    if (call.fragment !== undefined) this.#recordFragment(call, call.fragment)
  }

  camera(name: string): UsageView {
    return (this.#cameras.get(name) ?? new Tally()).view()
  }

  session(id: string): UsageView {
    return (this.#sessions.get(id) ?? new Tally()).view()
  }

  /** Returns fetches by FragmentNumber, then track. */
  fragments(camera: string): Readonly<Record<string, Counts>> {
    const fragments = [...(this.#fragments.get(camera) ?? [])]
    return Object.fromEntries(
      fragments.map(([number, tracks]) => [number, Object.fromEntries(tracks)]),
    )
  }

  reset(): void {
    this.#cameras.clear()
    this.#sessions.clear()
    this.#fragments.clear()
    this.#fragmentCount = 0
  }

  #recordSession(call: UsedCall, id: string): void {
    tally(this.#sessions, id).add(call)
    if (this.#sessions.size > MOST_SESSIONS) forgetOldest(this.#sessions)
  }

  #recordFragment({ camera, track }: UsedCall, number: string): void {
    const fragments = this.#fragments.get(camera) ?? new Map<string, Map<string, number>>()
    this.#fragments.set(camera, fragments)
    if (!fragments.has(number)) {
      fragments.set(number, new Map())
      this.#fragmentCount += 1
      if (this.#fragmentCount > MOST_FRAGMENTS && forgetOldest(fragments)) this.#fragmentCount -= 1
    }
    const tracks = fragments.get(number)
    if (tracks !== undefined) increase(tracks, track ?? '1', 1)
  }
}

function forgetOldest(map: Map<string, unknown>): boolean {
  const oldest = map.keys().next()
  return oldest.done !== true && map.delete(oldest.value)
}

function tally(tallies: Map<string, Tally>, key: string): Tally {
  const known = tallies.get(key) ?? new Tally()
  tallies.set(key, known)
  return known
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
