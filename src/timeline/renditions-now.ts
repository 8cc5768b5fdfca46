import { RENDITIONS } from './cursor.ts'
import type { RenditionName } from './fragment.ts'
import type { LiveList } from './segment-list.ts'

const LOOKED_AT = 3

/**
 * Returns what most of the newest segments consist of, because a rendition that is gone stays in the live list for a
 * window, and one that a single segment lacks is not gone.
 */
export function renditionsNow(snapshot: Pick<LiveList, 'tail'>): readonly RenditionName[] {
  const newest = snapshot.tail.slice(-LOOKED_AT)
  return RENDITIONS.filter((name) => {
    const having = newest.filter(({ tracks }) => tracks[name] !== undefined)
    return 2 * having.length > newest.length
  })
}
