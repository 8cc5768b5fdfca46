import type { DynamicStreamConfig, StreamConfig } from '../config/config.ts'
import type { DynamicEntry } from '../streams/dynamic-streams.ts'
import type { LiveStream } from '../streams/live-stream.ts'
import { notConfigured } from '../streams/stream-name.ts'
import { StreamSet } from '../streams/stream-set.ts'
import { OpenStream } from './open-stream.ts'
import type { Shared } from './shared.ts'
import type { SlateFiles } from './slate-files.ts'
import {
  type FindStreamConfig,
  matches,
  type StreamsConfig,
  streamConfigs,
} from './stream-config-of.ts'

/**
 * How long a stream by pattern is kept that nobody watches, because players may pause for so long and find their place again; a
 * DVR window is not forgotten sooner than it is over.
 */
const KEEP_IDLE_MS = 10 * 60_000
/** How long what a stream has listed can be fetched once it is no more: as long as a list is, and a player behind. */
const DRAIN_MS = 30_000

const NOTHING: StreamsConfig = { streams: [], dynamicStreams: [] }

/**
 * Holds the streams of the configuration, whichever that is at the time: a start is a change from none. Changing it opens
 * what is new, changes what is other, and lets go of what is no more, and nothing else notices.
 */
export class OpenStreams {
  readonly set: StreamSet
  readonly #shared: Shared
  readonly #life: AbortSignal
  #config = NOTHING
  #slates: SlateFiles = new Map()
  /** All that hold anything, those that are leaving among them, by name. */
  readonly #open = new Map<string, OpenStream>()
  readonly #leaving = new Map<string, AbortController>()

  /** @param life until when streams that leave may take their time */
  constructor(shared: Shared, life: AbortSignal) {
    this.#shared = shared
    this.#life = life
    this.set = new StreamSet(shared.clock)
  }

  /** The names of those that are there. */
  names(): readonly string[] {
    return Array.from(this.set.all(), ({ name }) => name)
  }

  /**
   * Has the streams of this configuration from now on.
   * @param changes called at the moment when viewers see others
   * @throws what keeps a new one from being opened: then nothing has changed
   */
  async change(config: StreamsConfig, slates: SlateFiles, changes: () => void): Promise<void> {
    const goOn = await this.set.dynamic.pause()
    try {
      const added = await this.#openNew(config, slates)
      changes()
      await this.#change(config, slates, added)
    } finally {
      goOn()
    }
    await this.#restore()
  }

  /** Removes from the disk what is of no stream any more. */
  async cleanUp(): Promise<void> {
    const all = [...this.set.all()]
    const { disk, journals } = this.#shared
    await disk?.keepOnly({
      keys: all.flatMap((stream) => stream.keys()),
      streams: all.map(({ name }) => name),
    })
    const withPast = all.filter(({ name, past }) => past !== undefined || this.set.isDynamic(name))
    await journals?.keepOnly(withPast.map(({ name }) => name))
  }

  /** Starts those that always run. */
  start(): void {
    for (const stream of this.set.all()) {
      if (stream.activation === 'always' && !this.set.isDynamic(stream.name)) stream.start()
    }
  }

  async #openNew(config: StreamsConfig, slates: SlateFiles): Promise<readonly OpenStream[]> {
    const added = config.streams.filter(({ name }) => !this.#open.has(name))
    const opened = await Promise.allSettled(
      added.map((stream) => this.#openOne(stream, slates, true)),
    )
    const failed = opened.find(({ status }) => status === 'rejected')
    const ready = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    if (failed?.status !== 'rejected') return ready
    for (const { stream } of ready) {
      await stream.close()
      stream.discard()
    }
    throw failed.reason
  }

  #openOne(config: StreamConfig, slates: SlateFiles, isEverywhere: boolean): Promise<OpenStream> {
    const discarded = (name: string): void => this.#discarded(name)
    return OpenStream.open(config, { shared: this.#shared, slates, isEverywhere, discarded })
  }

  /** Does all that viewers see at once, and waits for the rest. */
  async #change(
    config: StreamsConfig,
    slates: SlateFiles,
    added: readonly OpenStream[],
  ): Promise<void> {
    this.#config = config
    this.#slates = slates
    for (const open of added) this.#open.set(open.config.name, open)
    const configured = config.streams.flatMap(({ name }) => this.#open.get(name)?.stream ?? [])
    const gone = this.set.replace(
      configured,
      config.dynamicStreams.map((entry) => this.#entry(entry)),
    )
    for (const stream of gone) void this.#leave(stream)
    const find = streamConfigs(config)
    const changes = Array.from(this.#open.values(), (open) => this.#changeOne(open, find))
    for (const change of await Promise.allSettled(changes)) {
      if (change.status === 'rejected') {
        this.#shared.log.error('a stream could not be changed', { error: change.reason })
      }
    }
  }

  async #changeOne(open: OpenStream, find: FindStreamConfig): Promise<void> {
    const { name } = open.config
    const wanted = find(name)
    if (wanted === undefined || this.set.isLeaving(open.stream)) return
    const isByName = !this.set.isDynamic(name)
    this.#label(name, isByName)
    open.stay(isByName)
    const leaving = this.#leaving.get(name)
    this.#leaving.delete(name)
    leaving?.abort()
    await open.change(wanted, this.#slates)
  }

  /** Counts a stream under its own name, or with all of its pattern. */
  #label(name: string, isByName: boolean): void {
    const { counters } = this.#shared
    const entry = isByName ? undefined : this.#patternOf(name)
    if (entry === undefined) {
      counters.unshare(name)
      return
    }
    if (counters.labelOf(name) === name) counters.forget(name)
    counters.share(name, labelOf(entry))
  }

  #patternOf(name: string): DynamicStreamConfig | undefined {
    return this.#config.dynamicStreams.find((entry) => matches(entry, name))
  }

  #entry(entry: DynamicStreamConfig): DynamicEntry {
    return {
      matches: (name) => matches(entry, name),
      max: entry.max,
      absentForMs: entry.absentForMs,
      keepIdleMs: Math.max(KEEP_IDLE_MS, entry.dvrMs),
      open: (name) => this.#openByPattern(name),
    }
  }

  async #openByPattern(name: string): Promise<LiveStream> {
    const config = streamConfigs(this.#config)(name)
    if (config === undefined) throw notConfigured()
    this.#label(name, false)
    try {
      const open = await this.#openOne(config, this.#slates, false)
      this.#open.set(name, open)
      return open.stream
    } catch (error) {
      this.#shared.counters.unshare(name)
      throw error
    }
  }

  /**
   * Opens the streams by pattern of which an earlier process saved something, as many as may be, so that what they list can
   * be asked for, and is not cleaned away from the disk.
   */
  async #restore(): Promise<void> {
    const { saved } = this.#shared
    if (this.#config.dynamicStreams.length === 0) return
    const names = await saved?.names(
      (name) => this.set.get(name) === undefined && this.set.mayExist(name),
    )
    for (const name of names ?? []) await this.set.dynamic.restore(name)
  }

  /** Lets a stream end: no list of it is given any more, and what was listed can be fetched for a while. */
  async #leave(stream: LiveStream): Promise<void> {
    const { name } = stream
    if (this.#leaving.has(name)) return
    const { clock, log, disk, journals } = this.#shared
    const back = new AbortController()
    this.#leaving.set(name, back)
    const signal = AbortSignal.any([back.signal, this.#life])
    try {
      log.info('stream removed', { stream: name })
      await this.#open.get(name)?.leave()
      await clock.sleep(DRAIN_MS, signal)
      if (!this.set.left(stream)) return
      this.#leaving.delete(name)
      await stream.close()
      stream.discard()
      await journals?.drop(name, Number.MAX_SAFE_INTEGER)
      await disk?.dropStream(name)
    } catch (error) {
      if (!signal.aborted) log.error('a stream could not be removed', { stream: name, error })
    }
  }

  #discarded(name: string): void {
    const { counters } = this.#shared
    this.#open.delete(name)
    if (counters.labelOf(name) === name) counters.forget(name)
    else counters.unshare(name)
  }
}

/** Returns what all streams of a pattern are counted under. Slashes are in no stream's name. */
function labelOf({ match }: DynamicStreamConfig): string {
  return `/${match.source}/`
}
