import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Log, silentLog } from '../../src/base/log.ts'
import type { EventBus } from '../../src/events/event-bus.ts'
import type { Movie } from '../../src/formats/mp4/read-movie.ts'
import { readTs } from '../../src/formats/mpegts/read-ts.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import { Publisher } from '../../src/publish/publisher.ts'
import type { SourceParts } from '../../src/sources/source.ts'
import { Sources, type SourcesSettings } from '../../src/sources/sources.ts'
import { FragmentCache } from '../../src/store/fragment-cache.ts'
import type { JournalPage, Journals } from '../../src/store/journals.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { SavedTimelines } from '../../src/store/saved-timelines.ts'
import { type LiveSettings, LiveStream } from '../../src/streams/live-stream.ts'
import { ALONE, type Ownership } from '../../src/streams/ownership.ts'
import type { OnSignalLoss } from '../../src/streams/stream.ts'
import { SessionKeeper } from '../../src/upstream/session-keeper.ts'
import type { ManualClock } from './manual-clock.ts'
import type { ScriptedCamera } from './scripted-camera.ts'
import { tsFragments } from './ts-clip.ts'

/** Timelines that outlive a stream, as those of a state directory do. */
export class TimelinesInMemory implements SavedTimelines {
  readonly saved = new Map<string, string>()
  /** Called before each save; may wait. */
  beforeSave: () => Promise<void> = () => Promise.resolve()
  /** Called with what is saved. */
  saving: (timeline: string) => void = () => {}

  load(stream: string): Promise<unknown> {
    const saved = this.saved.get(stream)
    return Promise.resolve(saved === undefined ? undefined : JSON.parse(saved))
  }

  names(wanted: (stream: string) => boolean): Promise<readonly string[]> {
    return Promise.resolve([...this.saved.keys()].filter(wanted))
  }

  async save(stream: string, timeline: unknown): Promise<void> {
    const text = JSON.stringify(timeline)
    await this.beforeSave()
    this.saved.set(stream, text)
    this.saving(text)
  }
}

/** Journals of one stream that outlive it. */
export class JournalsInMemory implements Journals {
  readonly #pages = new Map<number, string[]>()
  /** Called with what other nodes are to be told. */
  amended: (lines: readonly string[]) => void = () => {}
  /** Called before lines are appended; may wait. */
  beforeAppend: () => Promise<void> = () => Promise.resolve()

  load(): Promise<readonly JournalPage[]> {
    return Promise.resolve(Array.from(this.#pages, ([number, lines]) => ({ number, lines })))
  }

  async append(_stream: string, page: number, lines: readonly string[]): Promise<void> {
    await this.beforeAppend()
    this.#pages.set(page, [...(this.#pages.get(page) ?? []), ...lines])
  }

  async amend(stream: string, page: number, lines: readonly string[]): Promise<void> {
    await this.append(stream, page, lines)
    this.amended(lines)
  }

  drop(): Promise<void> {
    return Promise.resolve()
  }

  keepOnly(): Promise<void> {
    return Promise.resolve()
  }
}

export interface ScriptedStreamOptions {
  readonly name?: string
  readonly clock: ManualClock
  readonly camera: ScriptedCamera
  readonly backup?: ScriptedCamera
  readonly onSignalLoss?: OnSignalLoss
  readonly failAfterMs?: number
  readonly activation?: 'on-demand' | 'always'
  readonly dvrMs?: number
  readonly fillsAll?: boolean
  readonly timelines?: SavedTimelines
  readonly journals?: Journals
  readonly counters?: GatewayCounters
  readonly log?: Log
  readonly events?: EventBus
  readonly isByPattern?: boolean
  readonly ownership?: Ownership
  readonly discarded?: () => void
}

/** A slate of two seconds that is there at once: reading the built-in one takes a disk and its time. */
const SLATE: Movie = {
  video: readTs(tsFragments('video-only')[0]?.bytes ?? Buffer.alloc(0), { loneMs: 40 }).tracks[0],
  audio: undefined,
}

/** A stream as the gateway opens it, of cameras that follow a script: all of it real but its sessions. */
export async function openScripted(options: ScriptedStreamOptions): Promise<LiveStream> {
  const { stream } = await openScriptedParts(options)
  return stream
}

/** The stream, what publishes for it, and the settings of its sources and its own. */
export async function openScriptedParts(options: ScriptedStreamOptions): Promise<{
  stream: LiveStream
  publisher: Publisher
  sourcesSettings: SourcesSettings
  settings: LiveSettings
}> {
  const { name = 'lobby', clock, camera, backup, onSignalLoss = 'hold', dvrMs = 0 } = options
  const { log = silentLog, counters = new GatewayCounters(), activation = 'on-demand' } = options
  const memory = new MemoryStore({ clock, maxBytes: 2 ** 24 })
  const cells = { hits: { value: 0 }, misses: { value: 0 }, coalesced: { value: 0 } }
  const cache = new FragmentCache({ clock, store: memory, tiers: [], ...cells })
  const sourcesSettings = {
    returnAfterMs: 10_000,
    signalLossAfterMs: 6_000,
    window: 5,
    showsSlate: onSignalLoss === 'slate',
    slateMovie: SLATE,
  }
  const settings = {
    activation,
    idleTimeoutMs: 60_000,
    startTimeoutMs: 10_000,
    signalLossAfterMs: 6_000,
    onSignalLoss,
    failAfterMs: options.failAfterMs ?? 30_000,
  }
  const sources = new Sources({
    stream: name,
    clock,
    random: () => 0.5,
    log,
    counters,
    camera: scriptedParts(camera, clock, 'camera'),
    backup: backup && scriptedParts(backup, clock, 'backup'),
    settings: sourcesSettings,
  })
  const publisher = await Publisher.open({
    stream: name,
    clock,
    log,
    counters,
    timeline: { window: 5, targetDurationFloorS: () => 2 },
    dvrMs,
    stores: { memory, cache, timelines: options.timelines, journals: options.journals },
    refetch: (...segment) => sources.fetchAgain(...segment),
  })
  const stream = new LiveStream({
    running: { value: 0 },
    awoken: (tookMs) => counters.distributions.firstPlaylist.observe(tookMs / 1_000),
    name,
    clock,
    log,
    sources,
    publisher,
    ownership: options.ownership ?? ALONE,
    recorded: {
      openBackfill: () => publisher.backfill(camera.past, options.fillsAll ?? false),
      openArchives: undefined,
      keepsArchive: true,
    },
    settings,
    emit: (...event) => options.events?.emit(...event),
    isByPattern: options.isByPattern ?? false,
    discarded: options.discarded ?? ((): void => {}),
  })
  return { stream, publisher, sourcesSettings, settings }
}

/** A source of which all is real but its sessions. */
export function scriptedParts(
  camera: ScriptedCamera,
  clock: ManualClock,
  origin: string,
): SourceParts {
  return {
    log: silentLog,
    origin,
    quota: null,
    openKeeper: ({ longestFragmentMs }) =>
      new SessionKeeper({
        clock,
        random: () => 0.5,
        windowMs: () => 10 * longestFragmentMs(),
        open: camera.open,
      }),
  }
}

/** Turns of the event loop in which everything that is due comes about: nothing here waits for a socket or a disk. */
const TURNS = 4

/** Lets `ms` milliseconds pass, from one thing that is due to the next. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  const endMs = clock.now() + ms
  await settle()
  while (clock.now() < endMs) {
    const dueMs = Math.min(clock.nextDueMs ?? endMs, endMs)
    clock.advance(Math.max(0, dueMs - clock.now()))
    await settle()
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await nextTurn()
}
