import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { PlacedBy } from '../timeline/archive/place.ts'
import { Archive } from './archive.ts'
import type { LiveTail } from './live-tail.ts'
import { type ArchiveRange, rangeName } from './range.ts'
import type { UpstreamRecording } from './upstream-recording.ts'

export interface ArchivesOptions {
  readonly clock: Clock
  readonly log: Log
  /** The longest range, in milliseconds. */
  readonly maxMs: number
  /** The longest range that a clip may be made of, in milliseconds. */
  readonly maxClipMs: number
  readonly tail: LiveTail
  /**
   * What upstream recorded; undefined where the source keeps nothing, so that there is what the stream itself holds.
   */
  readonly recording: UpstreamRecording | undefined
  readonly placedBy: PlacedBy
  /** How many fragments one list may have, some hundred bytes each, in memory and on the wire. Default 100,000. */
  readonly mostEntries?: number
}

/** How many ranges of one stream there may be at a time. */
const MOST_ARCHIVES = 16
/**
 * How many of them may be listed at a time, because ranges that nobody has asked for before cost upstream calls (G17).
 */
const MOST_LISTING = 4
/** How many segments all lists of a stream may have together, some 200 bytes each (G18). */
const MOST_ENTRIES = 200_000
/** How long nobody must have asked about a range for it to make room for another one. */
const REPLACEABLE_MS = 30_000
/** How long until it goes by itself. A player that comes back finds the same list made anew. */
const IDLE_MS = 300_000

interface Kept {
  readonly archive: Archive
  usedMs: number
}

/** Shares the ranges of a stream's past that are being watched, each with all who watch it (G8). */
export class Archives {
  readonly #options: ArchivesOptions
  /** The ranges by name, the one used longest ago first. */
  readonly #kept = new Map<string, Kept>()
  readonly #life = new AbortController()
  #sweeping = false

  constructor(options: ArchivesOptions) {
    this.#options = options
  }

  /** The longest range of a clip, in milliseconds. */
  get maxClipMs(): number {
    return this.#options.maxClipMs
  }

  get size(): number {
    return this.#kept.size
  }

  /**
   * Returns the one list of a range, made if need be.
   * @throws GatewayError `bad_request` for what cannot be a range; `overloaded` when there is no room
   */
  get(range: ArchiveRange): Archive {
    const name = rangeName(range)
    const known = this.#kept.get(name)
    if (known === undefined) this.#check(range)
    const archive = known?.archive ?? this.#make(range)
    this.#kept.delete(name)
    this.#kept.set(name, { archive, usedMs: this.#options.clock.now() })
    return archive
  }

  close(): void {
    this.#life.abort()
    for (const { archive } of this.#kept.values()) archive.close()
    this.#kept.clear()
    this.#options.recording?.close()
  }

  #check({ startMs, endMs }: ArchiveRange): void {
    const { clock, maxMs } = this.#options
    const nowMs = clock.now()
    if (startMs > nowMs) throw badRange('The start lies in the future.')
    if (endMs !== undefined && endMs <= startMs) throw badRange('The end is not after the start.')
    if ((endMs ?? nowMs) - startMs <= maxMs) return
    throw badRange(`The range is longer than the ${Math.floor(maxMs / 1000)} seconds allowed here.`)
  }

  #make(range: ArchiveRange): Archive {
    this.#makeRoom()
    const { mostEntries = 100_000 } = this.#options
    const archive = new Archive({ ...this.#options, range, mostEntries })
    void this.#sweep().catch((error: unknown) => {
      if (this.#life.signal.aborted) return
      this.#options.log.error('ranges of the past are not let go of', { error })
    })
    return archive
  }

  #makeRoom(): void {
    const listing = [...this.#kept.values()].filter(({ archive }) => archive.isListing)
    if (listing.length >= MOST_LISTING) throw overloaded()
    for (const [name, { archive }] of this.#kept) if (archive.hasFailed) this.#drop(name, archive)
    const nowMs = this.#options.clock.now()
    let entries = [...this.#kept.values()].reduce((sum, { archive }) => sum + archive.size, 0)
    for (const [name, { archive, usedMs }] of this.#kept) {
      if (this.#kept.size < MOST_ARCHIVES && entries < MOST_ENTRIES) return
      if (nowMs - usedMs < REPLACEABLE_MS) throw overloaded()
      entries -= archive.size
      this.#drop(name, archive)
    }
  }

  /** Runs as long as there is anything to let go of; rejects when it is closed meanwhile. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    const { clock } = this.#options
    // The one that is being made is kept right after this.
    await Promise.resolve()
    try {
      while (this.#kept.size > 0) {
        await clock.sleep(REPLACEABLE_MS, this.#life.signal)
        for (const [name, { archive, usedMs }] of this.#kept) {
          if (clock.now() - usedMs >= IDLE_MS) this.#drop(name, archive)
        }
      }
    } finally {
      this.#sweeping = false
    }
  }

  #drop(name: string, archive: Archive): void {
    this.#kept.delete(name)
    archive.close()
  }
}

/** Says that neither a stream nor its source keeps anything. */
export function noArchive(): GatewayError {
  const detail = 'Nothing is kept of this stream: its source keeps no recording, and it has no dvr.'
  return new GatewayError('bad_request', detail)
}

function badRange(detail: string): GatewayError {
  return new GatewayError('bad_request', detail)
}

function overloaded(): GatewayError {
  const detail = 'Too many ranges of this stream are being watched or looked up.'
  return new GatewayError('overloaded', detail, { retryAfterMs: 2_000 })
}
