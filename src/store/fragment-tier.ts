import type { FragmentKey } from './fragment-key.ts'

/**
 * Says how long bytes are promised to stay: `listed` while a playlist names them, until a time (ms since 1970) for the
 * grace after that (G6), and `none` for what can be fetched again without anybody noticing more than the wait. After
 * its grace a fragment goes at once, or becomes one of those `after` it. `spare` takes only room that nothing else
 * wants: what nobody has asked for yet, and is no newer than what it would push out.
 */
export type Hold =
  | 'listed'
  | 'none'
  | 'spare'
  | { readonly untilMs: number; readonly after?: 'none' }

/** What a tier has of a fragment. */
export interface SavedBody {
  /** How many bytes it has. */
  readonly size: number
  /**
   * Reads them from `offset` on, as they come. It ends early where the rest is lost, or does not come in time: what it
   * gives is what was put (G12).
   */
  from(offset: number, signal: AbortSignal): AsyncIterable<Buffer>
}

/**
 * Keeps fragments in a slower and larger place than memory, which may outlive the process. It is a convenience: when it
 * fails, a write is lost and a read finds nothing. It rejects only when a signal aborts.
 *
 * It keeps no more than its bound. What is not `published`, and what is put as `spare`, can be had again and goes
 * first, the oldest before the others.
 */
export interface FragmentTier {
  /** Finds the bytes, to which nobody may write; undefined if they are not here, or not what they were put as (G12). */
  get(key: FragmentKey, signal: AbortSignal): Promise<SavedBody | undefined>
  /** Resolves once the bytes would be found after a crash, or are given up. */
  put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void>
  delete(key: FragmentKey): Promise<void>
}

/** Returns what is all there as a body. */
export function savedBody(bytes: Buffer): SavedBody {
  return {
    size: bytes.length,
    async *from(offset) {
      yield bytes.subarray(offset)
    },
  }
}

/** Reads all of a body; undefined where it ends early. */
export async function readWhole(body: SavedBody, signal: AbortSignal): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of body.from(0, signal)) chunks.push(chunk)
  const [first = Buffer.alloc(0)] = chunks
  const bytes = chunks.length > 1 ? Buffer.concat(chunks) : first
  return bytes.length === body.size ? bytes : undefined
}
