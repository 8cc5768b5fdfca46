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

/** Says what a tier is to keep when a process starts. */
export interface Wanted {
  /** The published segments that some list still names. */
  readonly keys: Iterable<FragmentKey>
  /** The streams that there are: what was made or fetched of their past stays while there is room. */
  readonly streams: Iterable<string>
}

/**
 * Keeps fragments in a slower and larger place than memory, which may outlive the process. It is a convenience: nothing
 * here rejects. When it fails, a write is lost and a read finds nothing.
 *
 * It keeps no more than its bound. What is not `published`, and what is put as `spare`, can be had again and goes
 * first, the oldest before the others.
 */
export interface FragmentTier {
  /** Reads the bytes, if they are here and still what they were put as (G12). Nobody may write to them. */
  get(key: FragmentKey): Promise<Buffer | undefined>
  /** Resolves once the bytes would be found after a crash, or are given up. */
  put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void>
  delete(key: FragmentKey): Promise<void>
  /** Forgets everything that is not wanted. */
  keepOnly(wanted: Wanted): Promise<void>
}
