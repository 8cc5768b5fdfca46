import type { Segment } from './fragment.ts'

/** Whether any of it is passed on as it came: what has no times of its own cannot be sought in. */
export function isUnread({ tracks }: Pick<Segment, 'tracks'>): boolean {
  return Object.values(tracks).some(({ opaque }) => opaque !== undefined)
}
