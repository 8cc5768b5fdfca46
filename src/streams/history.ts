import { z } from 'zod'
import { streamStatus } from './status.ts'
import type { StreamState } from './stream.ts'

/** How far apart points are. */
export const POINT_EVERY_MS = 10_000
const SPAN_MS = 3_600_000
const MOST_POINTS = SPAN_MS / POINT_EVERY_MS
/** Sessions that fail one after the other are one mark, so an hour has more of them only in great trouble. */
const MOST_MARKS = 100

const time = z.iso.datetime().describe('ISO 8601, UTC')
const count = z.number().int().nonnegative()
const state = streamStatus.shape.state
const sessionMark = z.object({
  at: time,
  event: z
    .enum(['opened', 'rolled-over', 'lost', 'released', 'failed'])
    .describe(
      'released: nobody wants it, or another node has the stream; failed: none could be opened, several in a row are one',
    ),
  session: count.nullable().describe('Which one, or the new one; null when there was none'),
  source: z.enum(['camera', 'backup']),
  cause: z
    .string()
    .nullable()
    .describe('Why: schedule, api, codec, lost, refused; or an error code'),
})

/** What the admin API tells of a stream's last hour: columns of equal length, oldest first. */
export const streamHistory = z.object({
  everySeconds: z.number().positive().describe('How far apart the points are'),
  at: z.array(time),
  state: z.array(state),
  delaySeconds: z
    .array(z.number().nullable())
    .describe('From a fragment’s first picture until it was listed, the longest; null unless live'),
  bitsPerSecond: z.array(count.nullable()).describe('Of what is published; null unless live'),
  viewers: z.array(count),
  upstreamBytesPerSecond: z.array(count),
  downstreamBytesPerSecond: z.array(count),
  sessions: z.array(sessionMark),
})

export type StreamHistoryView = z.infer<typeof streamHistory>

/** What is noted of a stream at a time. Numbers that there are none of are NaN. */
export interface Point {
  readonly state: StreamState
  readonly delayMs: number
  readonly bitsPerSecond: number
  readonly viewers: number
  readonly upstreamBytesPerSecond: number
  readonly downstreamBytesPerSecond: number
}

/** Something that happened to a stream's sessions. */
export interface SessionMark extends Omit<z.infer<typeof sessionMark>, 'at'> {
  readonly atMs: number
}

const STATES: readonly StreamState[] = state.options
const FIGURES = [
  'delayMs',
  'bitsPerSecond',
  'viewers',
  'upstreamBytesPerSecond',
  'downstreamBytesPerSecond',
] as const

type Figure = (typeof FIGURES)[number]

/**
 * Keeps what a stream did within the last hour: 29 bytes a point, 10 KiB in all, and at most a hundred marks of its sessions (G18).
 * Moments are milliseconds of the gateway's clock.
 */
export class StreamHistory {
  readonly #at = new Float64Array(MOST_POINTS)
  readonly #states = new Uint8Array(MOST_POINTS)
  readonly #figures: Readonly<Record<Figure, Float32Array>> = {
    delayMs: new Float32Array(MOST_POINTS),
    bitsPerSecond: new Float32Array(MOST_POINTS),
    viewers: new Float32Array(MOST_POINTS),
    upstreamBytesPerSecond: new Float32Array(MOST_POINTS),
    downstreamBytesPerSecond: new Float32Array(MOST_POINTS),
  }
  #noted = 0
  #marks: readonly SessionMark[] = []

  note(atMs: number, point: Point): void {
    const slot = this.#noted % MOST_POINTS
    this.#at[slot] = atMs
    this.#states[slot] = STATES.indexOf(point.state)
    for (const figure of FIGURES) this.#figures[figure][slot] = point[figure]
    this.#noted += 1
  }

  mark(mark: SessionMark): void {
    const before = this.#marks.findLast(({ source }) => source === mark.source)
    if (mark.event === 'failed' && before?.event === 'failed') return
    this.#marks = [...this.#marks, mark].slice(-MOST_MARKS)
  }

  /** @param asDate makes milliseconds since 1970 of a moment */
  view(nowMs: number, asDate: (ms: number) => number): StreamHistoryView {
    const slots = this.#slotsSince(nowMs - SPAN_MS)
    const iso = (ms: number): string => new Date(asDate(ms)).toISOString()
    const column = (figure: Figure): readonly number[] =>
      slots.map((slot) => this.#figures[figure][slot] ?? Number.NaN)
    const whole = (figure: Figure): number[] => column(figure).map(Math.round)
    return {
      everySeconds: POINT_EVERY_MS / 1000,
      at: slots.map((slot) => iso(this.#at[slot] ?? 0)),
      state: slots.map((slot) => STATES[this.#states[slot] ?? 0] ?? 'idle'),
      delaySeconds: column('delayMs').map((ms) => orNull(Math.round(ms / 10) / 100)),
      bitsPerSecond: whole('bitsPerSecond').map(orNull),
      viewers: whole('viewers'),
      upstreamBytesPerSecond: whole('upstreamBytesPerSecond'),
      downstreamBytesPerSecond: whole('downstreamBytesPerSecond'),
      sessions: this.#marks
        .filter(({ atMs }) => atMs >= nowMs - SPAN_MS)
        .map(({ atMs, ...mark }) => ({ at: iso(atMs), ...mark })),
    }
  }

  /** Where the points since then are, oldest first. */
  #slotsSince(sinceMs: number): readonly number[] {
    const first = Math.max(0, this.#noted - MOST_POINTS)
    return Array.from({ length: this.#noted - first }, (_, i) => (first + i) % MOST_POINTS).filter(
      (slot) => (this.#at[slot] ?? 0) >= sinceMs,
    )
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

/** The histories of all streams, by name. */
export class Histories {
  readonly #histories = new Map<string, StreamHistory>()

  /** Returns the history of a stream that there is, begun if need be. */
  of(stream: string): StreamHistory {
    const known = this.#histories.get(stream)
    if (known !== undefined) return known
    const begun = new StreamHistory()
    this.#histories.set(stream, begun)
    return begun
  }

  /** Forgets the streams that are gone (G17). */
  keepOnly(streams: ReadonlySet<string>): void {
    for (const name of this.#histories.keys()) {
      if (!streams.has(name)) this.#histories.delete(name)
    }
  }
}
