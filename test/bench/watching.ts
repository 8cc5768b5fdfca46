import { systemClock } from '../../src/base/clock.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'

/** Viewers of one URL, and what happened to them. */
export class Watching {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>[] = []
  readonly #url: string
  readonly incidents: Incident[] = []
  readonly viewers: Viewer[] = []
  /** Times that segments took to arrive whole, in milliseconds, since {@link forget}. */
  segmentMs: number[] = []

  constructor(url: string) {
    this.#url = url
  }

  add(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const viewer = new Viewer(this.#url, {
        clock: systemClock,
        signal: this.#stop.signal,
        onIncident: (incident) => this.incidents.push(incident),
        onSegment: (tookMs) => this.segmentMs.push(tookMs),
      })
      this.viewers.push(viewer)
      this.#running.push(viewer.watch())
    }
  }

  /** Viewers one after the other over `spreadMs`, so that they do not ask in step. */
  async addSpread(count: number, spreadMs: number): Promise<void> {
    const steps = Math.min(count, 50)
    for (let i = 0; i < steps; i += 1) {
      this.add(Math.floor((count * (i + 1)) / steps) - Math.floor((count * i) / steps))
      await systemClock.sleep(spreadMs / steps)
    }
  }

  forget(): void {
    this.segmentMs = []
    this.incidents.length = 0
  }

  get bytes(): number {
    return this.viewers.reduce((sum, { counts }) => sum + counts.bytes, 0)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }
}
