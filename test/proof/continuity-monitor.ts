import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Fault, FaultLog, type Finding } from './fault.ts'
import { checkHeaders } from './header-rules.ts'
import { KnownSegments } from './known-segments.ts'
import { CONTRACT_TOLERANCES, checkRow, type Row, type Tolerances } from './media-rules.ts'
import { type MultivariantPlaylist, parseMultivariantPlaylist } from './multivariant-playlist.ts'
import { Origin } from './origin.ts'
import { Recording } from './recording.ts'
import { RenditionWatch } from './rendition-watch.ts'
import { RowBook } from './row-book.ts'

export interface MonitorOptions {
  readonly signal: AbortSignal
  /** Judges how long a segment stays fetchable, and paces {@link ContinuityMonitor.follow}. */
  readonly clock?: Clock
  /** Between polls of {@link ContinuityMonitor.follow}, in milliseconds. Default 500. */
  readonly everyMs?: number
  /** How much media of each rendition is kept for {@link ContinuityMonitor.joined}. Default 64 MiB. */
  readonly keepBytes?: number
  /** Every how many polls and segments Range, gzip, 304 and old bytes are looked at. Default 4. */
  readonly spotEvery?: number
  readonly tolerances?: Partial<Tolerances>
  /** By rendition: what all monitors of a stream know of its segments, where several servers are to agree. */
  readonly known?: Map<string, KnownSegments>
}

export interface MonitorReport {
  readonly url: string
  /** The first few of each kind; `counts` has them all. */
  readonly faults: readonly Fault[]
  readonly counts: Readonly<Partial<Record<Fault['kind'], number>>>
  readonly total: number
  readonly polls: number
  /** Fragments seen, whatever the number of renditions. */
  readonly segments: number
  readonly discontinuities: number
  /** Times that fragments were listed and removed before the monitor came to look. */
  readonly missed: number
  readonly lastMsn: number | undefined
}

const KEEP_BYTES = 64 * 1024 * 1024

/**
 * Follows a multivariant playlist like a strict player, over HTTP alone, and writes down everything that
 * breaks guarantees G1, G2, G4 to G7 and G13. It knows URLs and public formats, nothing of the product.
 *
 * A test with a manual clock calls {@link poll} itself; otherwise {@link follow} does until the signal
 * aborts. Memory is bounded, so it may run for days.
 */
export class ContinuityMonitor {
  readonly #url: URL
  readonly #options: MonitorOptions
  readonly #clock: Clock
  readonly #tolerances: Tolerances
  readonly #origin: Origin
  readonly #log = new FaultLog()
  readonly #watches = new Map<string, RenditionWatch>()
  readonly #recordings = new Map<string, Recording>()
  readonly #rows = new RowBook()
  #renditions: readonly RenditionWatch[] = []
  #multivariant: MultivariantPlaylist | undefined
  #previous: Row | undefined
  #polling: Promise<void> | undefined
  #polls = 0
  #segments = 0
  #discontinuities = 0
  #missed = 0
  #unnamedCodecs: readonly string[] = []

  constructor(url: string | URL, options: MonitorOptions) {
    this.#url = new URL(url)
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#tolerances = { ...CONTRACT_TOLERANCES, ...options.tolerances }
    this.#origin = new Origin(options.signal)
    options.signal.addEventListener('abort', () => void this.#origin.close(), { once: true })
  }

  /** Looks once at everything. Rejects only when the signal aborts; what is wrong goes to the report. */
  poll(): Promise<void> {
    this.#polling ??= this.#pollOnce().finally(() => {
      this.#polling = undefined
    })
    return this.#polling
  }

  /** Polls until the signal aborts, and resolves then. */
  async follow(): Promise<void> {
    const { signal, everyMs = 500 } = this.#options
    try {
      while (!signal.aborted) {
        await this.poll()
        await this.#clock.sleep(everyMs, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  report(): MonitorReport {
    return {
      url: this.#url.href,
      faults: this.#log.faults,
      counts: this.#log.counts(),
      total: this.#log.total,
      polls: this.#polls,
      segments: this.#segments,
      discontinuities: this.#discontinuities,
      missed: this.#missed,
      lastMsn: this.#previous?.msn,
    }
  }

  /** Init and newest segments of a rendition, one after the other, for a decoder. */
  joined(rendition: string): Buffer {
    return this.#recordings.get(rendition)?.joined() ?? Buffer.alloc(0)
  }

  /** The same, cut at each EXT-X-DISCONTINUITY; every piece begins with its init segment. */
  runs(rendition: string): readonly Buffer[] {
    return this.#recordings.get(rendition)?.runs() ?? []
  }

  async #pollOnce(): Promise<void> {
    this.#polls += 1
    await this.#loadMultivariant()
    await Promise.all(this.#renditions.map((watch) => this.#pollRendition(watch)))
    for (const row of this.#rows.take(this.#renditions.map(({ name }) => name))) this.#judge(row)
    this.#checkCodecs()
  }

  async #pollRendition(watch: RenditionWatch): Promise<void> {
    for (const { msn, entry } of await watch.poll()) this.#rows.add(watch.name, msn, entry)
  }

  #judge(row: Row): void {
    this.#segments += 1
    const entries = [...row.entries.values()].filter((entry) => entry !== 'gap')
    if (entries.some(({ listed }) => listed.discontinuity)) this.#discontinuities += 1
    if (this.#previous !== undefined && row.msn !== this.#previous.msn + 1) this.#missed += 1
    for (const finding of checkRow(this.#previous, row, this.#tolerances)) this.#report(finding)
    this.#previous = row
  }

  async #loadMultivariant(): Promise<void> {
    try {
      const answer = await this.#origin.get(this.#url)
      if (answer.status !== 200) {
        this.#report({ kind: 'http-status', detail: `multivariant playlist: ${answer.status}` })
        return
      }
      for (const finding of checkHeaders('multivariant', answer, undefined, undefined)) {
        this.#report(finding)
      }
      this.#multivariant = parseMultivariantPlaylist(answer.body.toString())
      this.#renditions = this.#multivariant.renditions.map(({ name, uri }) =>
        this.#watch(name, uri),
      )
    } catch (error) {
      this.#origin.throwIfClosed()
      const kind = error instanceof SyntaxError ? 'playlist-syntax' : 'http-failed'
      this.#report({ kind, detail: `multivariant playlist: ${String(error)}` })
    }
  }

  /** A URL is followed once and remembered, even if it is not listed for a while. */
  #watch(name: string, uri: string): RenditionWatch {
    const url = new URL(uri, this.#url)
    const known = this.#watches.get(url.href)
    if (known !== undefined) return known
    const recording = new Recording(this.#options.keepBytes ?? KEEP_BYTES)
    const watch = new RenditionWatch(name, url, this.#origin, {
      clock: this.#clock,
      recording,
      known: this.#knownOf(name),
      spotEvery: this.#options.spotEvery ?? 4,
      report: (finding) => this.#report(finding),
    })
    this.#watches.set(url.href, watch)
    this.#recordings.set(name, recording)
    return watch
  }

  #knownOf(rendition: string): KnownSegments {
    const known = this.#options.known?.get(rendition) ?? new KnownSegments()
    this.#options.known?.set(rendition, known)
    return known
  }

  /**
   * CODECS must name what the init segments hold; profile and level too for H.264. The list was loaded
   * before the segments, so a change may show a poll later.
   */
  #checkCodecs(): void {
    const codecs = this.#multivariant?.codecs ?? []
    const unnamed = this.#renditions
      .map(({ codec }) => codec)
      .filter((codec) => codec !== undefined)
      .filter((codec) => !codecs.some((named) => named.startsWith(codec)))
    const lasting = unnamed.filter((codec) => this.#unnamedCodecs.includes(codec))
    this.#unnamedCodecs = unnamed
    if (lasting.length === 0) return
    const detail = `CODECS="${codecs.join()}", the init segment has ${lasting.join()}`
    this.#report({ kind: 'codecs-mismatch', detail })
  }

  #report(finding: Finding): void {
    this.#log.add(finding, this.#clock.now())
  }
}
