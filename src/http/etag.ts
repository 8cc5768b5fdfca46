/** Nobody has more entity tags of one URL than fit into so many characters; who says so wants our time. */
const LONGEST_FIELD = 2048

/**
 * Says whether an If-None-Match field names this entity tag. RFC 9110, 13.1.2: a list or `*`, compared weakly, so a
 * proxy that weakened our tag while recompressing still gets its 304.
 */
export function matchesAny(field: string, etag: string): boolean {
  if (field.length > LONGEST_FIELD) return false
  if (field.trim() === '*') return true
  return field.split(',').some((item) => item.trim().replace(/^W\//, '') === etag)
}

/**
 * Says whether an If-Range field allows a part: only our strong tag does, because we give no dates. RFC 9110, 13.1.5.
 */
export function allowsRange(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag
}
