import { z } from 'zod'
import { readInit } from '../formats/mp4/init.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { MAX_LISTED } from '../timeline/window.ts'

/** Two tracks of all that is listed and of all that was, each with an init of its own. */
const MAX_INITS = 4 * MAX_LISTED

const savedInits = z.array(z.base64().max(4_000_000)).max(MAX_INITS)

/** The init segments that retained segments refer to, by content. A handful of kilobytes a stream. */
export class Inits {
  #bytes = new Map<string, Buffer>()

  get(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#bytes.get(keyOf(rendition, id))
  }

  add(rendition: RenditionName, id: string, bytes: Buffer): void {
    const key = keyOf(rendition, id)
    if (!this.#bytes.has(key)) this.#bytes.set(key, bytes)
  }

  /** Forgets those that none of these segments needs. */
  keepOnly(segments: Iterable<Segment>): void {
    const kept = new Map<string, Buffer>()
    for (const { init } of tracksOf(segments)) {
      const key = keyOf(init.rendition, init.id)
      const bytes = this.#bytes.get(key)
      if (bytes !== undefined) kept.set(key, bytes)
    }
    this.#bytes = kept
  }

  /** Whether all that these segments refer to is here. */
  cover(segments: Iterable<Segment>): boolean {
    for (const { init } of tracksOf(segments)) {
      if (!this.#bytes.has(keyOf(init.rendition, init.id))) return false
    }
    return true
  }

  save(): string[] {
    return [...this.#bytes.values()].map((bytes) => bytes.toString('base64'))
  }

  /** @throws Error when `saved` is not what {@link save} makes */
  static restore(saved: unknown): Inits {
    const inits = new Inits()
    for (const text of savedInits.parse(saved)) {
      const bytes = Buffer.from(text, 'base64')
      const { rendition, id } = readInit(bytes)
      inits.add(rendition, id, bytes)
    }
    return inits
  }
}

function* tracksOf(segments: Iterable<Segment>): Generator<SegmentTrack> {
  for (const { tracks } of segments) yield* Object.values(tracks)
}

function keyOf(rendition: RenditionName, id: string): string {
  return `${rendition}/${id}`
}
