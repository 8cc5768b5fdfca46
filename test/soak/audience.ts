import type { Incident, ViewerCounts } from '../proof/viewer.ts'
import type { Excuses } from './excuses.ts'
import type { OwnPauses } from './own-pauses.ts'

/** Whoever watches, in whichever way. */
export interface Watcher {
  /** Resolves when the soak ends. */
  watch(): Promise<void>
  readonly counts: Readonly<ViewerCounts>
  /** What only this kind of viewer counts, by name. */
  readonly seen?: Readonly<Record<string, number>>
}

export interface GroupReport extends ViewerCounts {
  viewers: number
  readonly seen: Readonly<Record<string, number>>
}

export interface AudienceReport {
  /** By kind of viewer. */
  readonly groups: Readonly<Record<string, GroupReport>>
  /** Of all viewers. */
  readonly segments: number
  /** Incidents by kind: what the gateway has to answer for. */
  readonly errors: Readonly<Record<string, number>>
  /** Incidents by kind while the camera or KVS gave too little, or this process stood still. */
  readonly excused: Readonly<Record<string, number>>
  /** The first few of each kind that are not excused, each as a line. */
  readonly examples: readonly string[]
}

const EXAMPLES_PER_KIND = 10

/** Many viewers of all kinds, spread over the streams, and what happened to them. */
export class Audience {
  readonly #groups = new Map<string, Watcher[]>()
  readonly #errors = new Map<string, number>()
  readonly #excused = new Map<string, number>()
  readonly #examples: string[] = []
  readonly #excuses: Excuses
  readonly #pauses: OwnPauses
  readonly #log: (line: string) => void

  /** @param log told of each incident that is not excused, to be read beside the troubles */
  constructor(excuses: Excuses, pauses: OwnPauses, log: (line: string) => void) {
    this.#excuses = excuses
    this.#pauses = pauses
    this.#log = log
  }

  /** Adds a viewer to a group, who watches until the soak ends. */
  async watch(group: string, watcher: Watcher): Promise<void> {
    const watchers = this.#groups.get(group) ?? []
    this.#groups.set(group, watchers)
    watchers.push(watcher)
    await watcher.watch()
  }

  report(): AudienceReport {
    const groups = [...this.#groups].map(([name, watchers]) => [name, total(watchers)] as const)
    return {
      groups: Object.fromEntries(groups),
      segments: groups.reduce((sum, [, { segments }]) => sum + segments, 0),
      errors: Object.fromEntries(this.#errors),
      excused: Object.fromEntries(this.#excused),
      examples: this.#examples,
    }
  }

  /** What a viewer of this stream tells of. */
  judgeOf(stream: string): (incident: Incident) => void {
    return (incident) => this.#judge(stream, incident)
  }

  #judge(stream: string, incident: Incident): void {
    const { kind, atMs, url, detail, lastedMs } = incident
    if (this.#excuses.covers(stream, incident)) {
      count(this.#excused, kind)
      return
    }
    if (kind === 'stall' && this.#pauses.explain(lastedMs, atMs + lastedMs)) {
      count(this.#excused, 'stall of the viewers’ own process')
      return
    }
    if (count(this.#errors, kind) > EXAMPLES_PER_KIND) return
    const lasted = lastedMs === 0 ? '' : ` for ${Math.round(lastedMs)} ms`
    const line = `${new Date(atMs).toISOString()} ${kind}${lasted} ${url} ${detail}`.trimEnd()
    this.#examples.push(line)
    this.#log(`! ${stream}: ${line}`)
  }
}

function count(counts: Map<string, number>, kind: string): number {
  const now = (counts.get(kind) ?? 0) + 1
  counts.set(kind, now)
  return now
}

function total(watchers: readonly Watcher[]): GroupReport {
  const sum = (key: keyof ViewerCounts): number =>
    watchers.reduce((all, { counts }) => all + counts[key], 0)
  const together = new Map<string, number>()
  for (const [what, count] of watchers.flatMap(({ seen = {} }) => Object.entries(seen))) {
    together.set(what, (together.get(what) ?? 0) + count)
  }
  return {
    viewers: watchers.length,
    playlists: sum('playlists'),
    segments: sum('segments'),
    bytes: sum('bytes'),
    seen: Object.fromEntries(together),
  }
}
