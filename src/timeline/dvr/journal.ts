/**
 * Writes the DVR list as lines to which one only appends: a segment when it is published, an edition when it begins,
 * and now and then where the list stands. Numbers beyond 2^53 travel as strings, "undefined" as null.
 */
import { z } from 'zod'
import { readInit } from '../../formats/mp4/init.ts'
import { mapTracks } from '../cursor.ts'
import type { InitFacts, RenditionName } from '../fragment.ts'
import { count, ms, segmentFields, trackFields, tracksOf } from '../saved.ts'
import type { DvrPosition, DvrSegment } from './dvr-segment.ts'

const segmentSchema = z.object({
  ...segmentFields,
  anchor: count,
  tracks: tracksOf(z.object({ init: z.string(), ...trackFields, id: z.string().min(1) })),
})

const placeSchema = z.object({ msn: count, anchor: count, startMs: ms })

const lineSchema = z.union([
  z.object({ live: segmentSchema }),
  z.object({ edition: count, after: count, inserted: z.array(segmentSchema) }),
  z.object({ editions: z.array(count).min(1), head: placeSchema }),
  z.object({ init: z.base64() }),
])

/** What a journal says. */
export interface JournalContent {
  /** The segments as published, in order of MSNs; there may be holes. */
  readonly live: readonly DvrSegment[]
  readonly batches: readonly Batch[]
  /** Where the list stood last. */
  readonly list: ListState | undefined
  /** The init segments that the segments refer to. */
  readonly inits: readonly { readonly facts: InitFacts; readonly bytes: Buffer }[]
  /** Whether some lines are not what was written. */
  readonly damaged: boolean
}

/** What an edition brought. */
export interface Batch {
  readonly id: number
  /** The edition before it. */
  readonly after: number
  readonly inserted: readonly DvrSegment[]
}

export interface ListState {
  readonly editions: readonly number[]
  readonly head: DvrPosition
}

/** Writes an init; to be written before the first segment that refers to it, in each page. */
export function initLine(bytes: Buffer): string {
  return line({ init: bytes.toString('base64') })
}

export function liveLine(segment: DvrSegment): string {
  return line({ live: saveSegment(segment) })
}

/** Writes all of an edition or nothing, because half of it would number the rest wrongly. */
export function batchLine({ id, after, inserted }: Batch): string {
  return line({ edition: id, after, inserted: inserted.map(saveSegment) })
}

export function listLine({ editions, head: { msn, anchor, startMs } }: ListState): string {
  return line({ editions: [...editions], head: { msn, anchor, startMs } })
}

/** Reads the lines that it understands. A segment whose init is missing cannot be played, and counts as damage. */
export function readJournal(lines: Iterable<string>): JournalContent {
  const reader = new JournalReader()
  for (const text of lines) reader.read(text)
  return reader.content()
}

class JournalReader {
  readonly #live = new Map<number, DvrSegment>()
  readonly #batches = new Map<number, Batch>()
  readonly #inits = new Map<string, { readonly facts: InitFacts; readonly bytes: Buffer }>()
  #list: ListState | undefined
  #damaged = false

  read(text: string): void {
    try {
      this.#take(lineSchema.parse(JSON.parse(text)))
    } catch {
      this.#damaged = true
    }
  }

  content(): JournalContent {
    return {
      live: [...this.#live.values()].sort((a, b) => a.msn - b.msn),
      batches: [...this.#batches.values()].sort((a, b) => a.id - b.id),
      list: this.#list,
      inits: [...this.#inits.values()],
      damaged: this.#damaged,
    }
  }

  #take(value: z.output<typeof lineSchema>): void {
    if ('live' in value) {
      // Of two with the same number the first was never shown: the process died before.
      this.#live.set(value.live.msn, this.#segment(value.live))
    } else if ('inserted' in value) {
      const inserted = value.inserted.map((saved) => this.#segment(saved))
      this.#batches.set(value.edition, { id: value.edition, after: value.after, inserted })
    } else if ('editions' in value) {
      this.#list = value
    } else {
      const bytes = Buffer.from(value.init, 'base64')
      const facts = readInit(bytes)
      const key = keyOf(facts.rendition, facts.id)
      if (!this.#inits.has(key)) this.#inits.set(key, { facts, bytes })
    }
  }

  #segment(saved: z.output<typeof segmentSchema>): DvrSegment {
    const tracks = mapTracks(saved.tracks, ({ init: id, ...track }, rendition) => {
      const init = this.#inits.get(keyOf(rendition, id))
      if (init === undefined) throw new Error(`the init ${id} is missing`)
      return { ...track, init: init.facts }
    })
    return { ...saved, tracks }
  }
}

function keyOf(rendition: RenditionName, id: string): string {
  return `${rendition} ${id}`
}

function saveSegment(segment: DvrSegment): z.input<typeof segmentSchema> {
  const { number, discontinuity, tracks, ...rest } = segment
  return {
    ...rest,
    number: String(number),
    discontinuity: discontinuity ?? null,
    tracks: mapTracks(tracks, ({ init, ...track }) => ({ ...track, init: init.id })),
  }
}

function line(value: z.input<typeof lineSchema>): string {
  return JSON.stringify(value)
}
