/**
 * Says whether an Accept-Encoding field allows gzip. RFC 9110, 12.5.3: `gzip` wins over `*`, a weight of 0 forbids, and
 * without the field nobody asked for it.
 */
export function acceptsGzip(field: string | undefined): boolean {
  if (field === undefined) return false
  const weight = weightOf(field, 'gzip') ?? weightOf(field, 'x-gzip') ?? weightOf(field, '*')
  return weight !== undefined && weight > 0
}

/** More than browsers write; a longer one is not worth the time that it takes to read. */
const LONGEST_FIELD = 1024

/** Finds the weight of a name in a field such as Accept or Accept-Encoding; undefined where it is not named. */
export function weightOf(field: string, coding: string): number | undefined {
  if (field.length > LONGEST_FIELD) return undefined
  for (const item of field.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    if (name !== coding) continue
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    // A weight that is no number is no weight; the coding itself was asked for.
    const weight = q === undefined ? 1 : Number.parseFloat(q.slice(2))
    return Number.isNaN(weight) ? 1 : weight
  }
  return undefined
}
