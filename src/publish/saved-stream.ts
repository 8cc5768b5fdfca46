import { z } from 'zod'
import { BoundedWait } from '../base/bounded-wait.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { SavedTimelines } from '../store/saved-timelines.ts'
import { Timeline, type TimelineOptions } from '../timeline/timeline.ts'
import { Inits, initsOf } from './inits.ts'

const FORMAT = 1

const savedStream = z.object({
  format: z.literal(FORMAT),
  stream: z.string(),
  timeline: z.unknown(),
  inits: z.unknown(),
})

/** What of a stream outlives the process. */
export interface StreamState {
  readonly timeline: Timeline
  readonly inits: Inits
}

/** How long a save may take, because viewers do not wait longer for a disk. */
const SAVE_MS = 5_000

/** Saves one stream's timeline, with the init segments that it refers to. */
export class SavedStream {
  readonly #stream: string
  readonly #log: Log
  readonly #saved: SavedTimelines | undefined
  readonly #saving: BoundedWait

  /** @param saved where; undefined where a restart begins a new timeline */
  constructor(stream: string, clock: Clock, log: Log, saved: SavedTimelines | undefined) {
    this.#stream = stream
    this.#log = log
    this.#saved = saved
    this.#saving = new BoundedWait(clock, SAVE_MS, () => log.error('saving the timeline hangs'))
  }

  /** Loads what an earlier process left; a new timeline where none was saved, or what was saved is unusable. */
  async load(options: TimelineOptions): Promise<StreamState> {
    const saved = await this.#saved?.load(this.#stream)
    try {
      if (saved !== undefined) return restoreStream(saved, this.#stream, options)
    } catch (error) {
      // Numbering that starts from the clock is above all that was published before (G1).
      this.#log.error('saved timeline is unusable, a new one begins', { error })
    }
    return { timeline: Timeline.begin(options), inits: new Inits() }
  }

  /**
   * Makes the state outlive the process; resolves when it does. One save runs at a time, so that an older one
   * never wins: while a disk hangs nothing is saved, and a crash would fall back to what was saved last.
   */
  async save({ timeline, inits }: StreamState): Promise<void> {
    if (this.#saved === undefined || this.#saving.hangs) return
    const saved: z.input<typeof savedStream> = {
      format: FORMAT,
      stream: this.#stream,
      timeline: timeline.save(),
      inits: inits.save(initsOf(timeline.known())),
    }
    await this.#saving.for(this.#saved.save(this.#stream, saved))
  }
}

/**
 * Restores what was saved.
 * @throws Error when `saved` is not what was saved for this stream, or not all of it
 */
export function restoreStream(
  saved: unknown,
  stream: string,
  options: TimelineOptions,
): StreamState {
  const parsed = savedStream.parse(saved)
  // A file that was copied or renamed: its numbers may lie below those that this stream has shown.
  if (parsed.stream !== stream) throw new Error(`this is the timeline of ${parsed.stream}`)
  const timeline = Timeline.restore(parsed.timeline, options)
  const inits = Inits.restore(parsed.inits)
  if (!inits.cover(initsOf(timeline.known()))) {
    throw new Error('an init segment of a listed segment is missing')
  }
  return { timeline, inits }
}
