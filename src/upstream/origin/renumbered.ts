import type { MediaPlaylist } from '../../formats/m3u8/parse-media.ts'
import { type Mark, marks } from './origin-run.ts'

/**
 * Returns a list under the numbers that its segments have had before, where their names say that they are the same:
 * packagers behind a balancer count each for themselves, and some leave EXT-X-MEDIA-SEQUENCE out of a list that slides.
 * @param before the list before it, under the numbers that hold
 */
export function renumbered(list: MediaPlaylist, before: MediaPlaylist | undefined): MediaPlaylist {
  if (before === undefined) return list
  const [known, own] = [byName(before), byName(list)]
  // Names that repeat within a list tell nothing.
  if (known.size < before.segments.length || own.size < list.segments.length) return list
  const shifts = new Set<number>()
  for (const [name, { msn, dateMs, durationMs }] of own) {
    const same = known.get(name)
    if (same === undefined) continue
    const apartMs = Math.abs((same.dateMs ?? 0) - (dateMs ?? 0))
    const isDated = same.dateMs !== undefined && dateMs !== undefined
    // A name that is used again, by an origin that has begun anew.
    if (isDated && apartMs > durationMs / 2) return list
    shifts.add(same.msn - msn)
  }
  const [shift] = shifts
  if (shift === undefined || shift === 0 || shifts.size > 1) return list
  return { ...list, mediaSequence: list.mediaSequence + shift }
}

interface Named extends Mark {
  readonly msn: number
}

function byName(list: MediaPlaylist): ReadonlyMap<string, Named> {
  return new Map([...marks(list)].map(([msn, mark]) => [mark.name, { ...mark, msn }]))
}
