import type { FragmentKey } from './fragment-key.ts'

/**
 * How long bytes are promised to stay:
 * `listed` while a playlist names them, until a time (ms since 1970) for the grace after that (G6), and
 * `none` for what can be fetched again without anybody noticing more than the wait. After its grace a
 * fragment goes at once, or becomes one of those `after` it. `spare` takes only room that nothing else wants:
 * what nobody has asked for yet, and is no newer than what it would push out.
 */
export type Hold =
  | 'listed'
  | 'none'
  | 'spare'
  | { readonly untilMs: number; readonly after?: 'none' }

/** Complete fragments by key. Bytes are immutable: whoever gets them must not write to them. */
export interface FragmentStore {
  get(key: FragmentKey): Buffer | undefined
  /** @throws GatewayError `overloaded` when there is no room that could be made */
  put(key: FragmentKey, bytes: Buffer, hold: Hold): void
  /** Changes the promise, as when a segment leaves the playlist. Unknown keys are ignored. */
  hold(key: FragmentKey, hold: Hold): void
  delete(key: FragmentKey): void
}
