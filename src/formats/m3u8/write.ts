import { type AttributeValue, writeAttributes } from './attributes.ts'

/** Writes a tag without a value, with a plain one, or with an attribute list; no line break at its end. */
export function tag(
  name: string,
  value?: string | number | Readonly<Record<string, AttributeValue | undefined>>,
): string {
  if (value === undefined) return `#${name}`
  const text = typeof value === 'object' ? writeAttributes(value) : String(value)
  return oneLine(`#${name}:${text}`)
}

/**
 * Writes EXTINF with microseconds. RFC 8216 wants floating point from version 3 on; three decimals would let the sum of
 * a long list drift away from the media.
 */
export function extinf(durationS: number): string {
  if (!Number.isFinite(durationS) || durationS < 0) {
    throw new RangeError(`a duration must be a number of seconds, got ${durationS}`)
  }
  return `#EXTINF:${trimDecimals(durationS.toFixed(6))},`
}

/** Writes EXT-X-PROGRAM-DATE-TIME in UTC, rounded to the millisecond. */
export function programDateTime(epochMs: number): string {
  return `#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(epochMs)).toISOString()}`
}

/** Joins lines to a playlist that ends with a line break, as RFC 8216, 4.1 has it. */
export function playlist(lines: readonly string[]): string {
  return `${['#EXTM3U', ...lines.map(oneLine)].join('\n')}\n`
}

/** Keeps at least three decimals, so that lists line up for people; more only where they say something. */
function trimDecimals(fixed: string): string {
  return fixed.replace(/(\.\d{3}\d*?)0+$/, '$1')
}

function oneLine(line: string): string {
  if (/[\r\n]/.test(line)) throw new RangeError('a playlist line cannot hold a line break')
  return line
}
