import { z } from 'zod'
import { readInit } from '../formats/mp4/init.ts'
import type { InitFacts, RenditionName, Segment } from '../timeline/fragment.ts'
import { MAX_LISTED } from '../timeline/window.ts'

/** How many inits are kept: two tracks of all that is listed and of all that was, each with an init of its own. */
const MAX_INITS = 4 * MAX_LISTED

const base64 = z.base64().max(4_000_000)

/**
 * Inits as they are saved: by name, because not all bytes say what they are, or without one, as earlier versions saved
 * them.
 */
const savedInits = z
  .array(z.union([base64, z.object({ key: z.string(), bytes: base64 })]))
  .max(MAX_INITS)

/** Keeps the init segments that retained segments refer to, by content: a handful of kilobytes a stream. */
export class Inits {
  #bytes = new Map<string, Buffer>()

  get(rendition: RenditionName, id: string): Buffer | undefined {
    return this.#bytes.get(keyOf(rendition, id))
  }

  add(rendition: RenditionName, id: string, bytes: Buffer): void {
    const key = keyOf(rendition, id)
    if (!this.#bytes.has(key)) this.#bytes.set(key, bytes)
  }

  /** Adds all that another one has. */
  addAll(other: Inits): void {
    for (const [key, bytes] of other.#bytes) if (!this.#bytes.has(key)) this.#bytes.set(key, bytes)
  }

  /** Forgets all others. */
  keepOnly(inits: Iterable<InitFacts>): void {
    const kept = new Map<string, Buffer>()
    for (const { rendition, id } of inits) {
      const key = keyOf(rendition, id)
      const bytes = this.#bytes.get(key)
      if (bytes !== undefined) kept.set(key, bytes)
    }
    this.#bytes = kept
  }

  /** Says whether all of these are here. */
  cover(inits: Iterable<InitFacts>): boolean {
    for (const { rendition, id } of inits) if (!this.#bytes.has(keyOf(rendition, id))) return false
    return true
  }

  /** Returns those of these that are here, each once, to be saved. */
  save(inits: Iterable<InitFacts>): z.input<typeof savedInits> {
    const wanted = new Set(Array.from(inits, ({ rendition, id }) => keyOf(rendition, id)))
    return [...wanted].flatMap((key) => {
      const bytes = this.#bytes.get(key)?.toString('base64')
      return bytes === undefined ? [] : { key, bytes }
    })
  }

  /**
   * Reads what {@link save} made.
   * @throws Error when `saved` is not that
   */
  static restore(saved: unknown): Inits {
    const inits = new Inits()
    for (const entry of savedInits.parse(saved)) {
      if (typeof entry === 'object') {
        inits.#bytes.set(entry.key, Buffer.from(entry.bytes, 'base64'))
        continue
      }
      const bytes = Buffer.from(entry, 'base64')
      const { rendition, id } = readInit(bytes)
      inits.add(rendition, id, bytes)
    }
    return inits
  }
}

/** Yields the inits that these segments refer to. */
export function* initsOf(segments: Iterable<Pick<Segment, 'tracks'>>): Generator<InitFacts> {
  for (const { tracks } of segments) for (const { init } of Object.values(tracks)) yield init
}

function keyOf(rendition: RenditionName, id: string): string {
  return `${rendition}/${id}`
}
