import type { Clock } from '../../src/base/clock.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'
import type { Excuses } from './excuses.ts'

export interface AudienceReport {
  readonly viewers: number
  readonly playlists: number
  readonly segments: number
  readonly bytes: number
  /** Incidents by kind: what the gateway has to answer for. */
  readonly errors: Readonly<Record<string, number>>
  /** Stalls and skips while the camera gave nothing, or too slowly. */
  readonly excused: number
  /** The first few of each kind that are not excused, each as a line. */
  readonly examples: readonly string[]
}

const EXAMPLES_PER_KIND = 10

/** Many viewers, spread over the streams, and what happened to them. */
export class Audience {
  readonly #viewers: Viewer[] = []
  readonly #errors = new Map<string, number>()
  readonly #examples: string[] = []
  readonly #excuses: Excuses
  #excused = 0

  constructor(excuses: Excuses) {
    this.#excuses = excuses
  }

  /** Adds a viewer, who watches until the signal aborts. */
  async watch(stream: string, url: string, clock: Clock, signal: AbortSignal): Promise<void> {
    const onIncident = (incident: Incident): void => this.#judge(stream, incident)
    const viewer = new Viewer(url, { clock, signal, onIncident })
    this.#viewers.push(viewer)
    await viewer.watch()
  }

  report(): AudienceReport {
    const sum = (key: 'playlists' | 'segments' | 'bytes'): number =>
      this.#viewers.reduce((total, { counts }) => total + counts[key], 0)
    return {
      viewers: this.#viewers.length,
      playlists: sum('playlists'),
      segments: sum('segments'),
      bytes: sum('bytes'),
      errors: Object.fromEntries(this.#errors),
      excused: this.#excused,
      examples: this.#examples,
    }
  }

  #judge(stream: string, incident: Incident): void {
    if (this.#excuses.covers(stream, incident)) {
      this.#excused += 1
      return
    }
    const { kind, atMs, url, detail, lastedMs } = incident
    const count = (this.#errors.get(kind) ?? 0) + 1
    this.#errors.set(kind, count)
    if (count > EXAMPLES_PER_KIND) return
    const lasted = lastedMs === 0 ? '' : ` for ${Math.round(lastedMs)} ms`
    this.#examples.push(
      `${new Date(atMs).toISOString()} ${kind}${lasted} ${url} ${detail}`.trimEnd(),
    )
  }
}
