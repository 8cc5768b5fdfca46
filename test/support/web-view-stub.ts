import type { WebStreamState, WebView } from '../../src/http/web-view.ts'
import { NO_REACH } from '../../src/streams/stream.ts'

/** A view of literal streams that remembers who was asked for. */
export class StubView implements WebView {
  readonly #streams: ReadonlyMap<string, WebStreamState>
  readonly asked: string[][] = []

  constructor(streams: Readonly<Record<string, Partial<WebStreamState>>>) {
    const entries = Object.entries(streams)
    this.#streams = new Map(entries.map(([name, state]) => [name, { ...IDLE, ...state }]))
  }

  names(): readonly string[] {
    return [...this.#streams.keys()]
  }

  all(): Iterable<readonly [string, WebStreamState]> {
    return this.#streams
  }

  state(name: string): WebStreamState | undefined {
    return this.#streams.get(name)
  }

  interest(names: readonly string[]): void {
    this.asked.push([...names])
  }
}

const IDLE: WebStreamState = {
  state: 'idle',
  reason: null,
  sinceMs: 1000,
  source: null,
  lastFragmentMs: null,
  targetDuration: null,
  renditions: [],
  past: NO_REACH,
}
