import { PlaylistError } from './playlist-error.ts'

/** Reads and writes attribute lists, `NAME=value,NAME="quoted value"`. RFC 8216, 4.2. */

/** An attribute value as it will stand in the list: already quoted where the tag wants quotes. */
export type AttributeValue = string | number | Quoted

/** A quoted-string. Made by {@link quoted}. */
export interface Quoted {
  readonly quoted: string
}

/** Where a bare value ends: its commas are its own unless a name follows, as in `CODECS=avc1.4d401e,mp4a.40.2`. */
const NEXT_NAME = /,\s*[A-Z][A-Z0-9-]*\s*=/g

/** Matches what can stand in no list, so that it could not be written again. */
const UNWRITABLE = /["\p{Cc}]/u

/**
 * Reads an attribute list as others write it: with blanks and commas in excess, single quotes or none where quotes
 * belong. Returns undefined when it is malformed. A value that nobody could write again is left out. One pass, not an
 * expression: m3u8-parser's own is quadratic on lists without `=`, and throws on bare values with commas.
 */
export function parseAttributes(list: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>()
  for (let at = skip(list, 0, ' \t,'); at < list.length; at = skip(list, at, ' \t,')) {
    const equals = list.indexOf('=', at)
    const name = list.slice(at, equals).trim()
    if (equals === -1 || !/^[A-Za-z0-9_-]+$/.test(name)) return undefined
    const value = readValue(list, skip(list, equals + 1, ' \t'))
    if (value === undefined) return undefined
    if (!UNWRITABLE.test(value.text)) attributes.set(name, value.text)
    at = value.end
  }
  return attributes.size === 0 && list !== '' ? undefined : attributes
}

/** Reads a value; undefined when its quotes do not end, or something stands behind them. */
function readValue(list: string, at: number): { text: string; end: number } | undefined {
  const quote = list.charAt(at)
  if (quote !== '"' && quote !== "'") return readBare(list, at)
  const close = list.indexOf(quote, at + 1)
  const end = skip(list, close + 1, ' \t')
  const isWhole = close !== -1 && (end === list.length || list[end] === ',')
  return isWhole ? { text: list.slice(at + 1, close), end } : undefined
}

function readBare(list: string, at: number): { text: string; end: number } {
  NEXT_NAME.lastIndex = at
  const end = NEXT_NAME.exec(list)?.index ?? list.length
  let last = end
  while (last > at && ' \t,'.includes(list.charAt(last - 1))) last -= 1
  return { text: list.slice(at, last), end }
}

function skip(list: string, from: number, these: string): number {
  let at = from
  while (at < list.length && these.includes(list.charAt(at))) at += 1
  return at
}

/**
 * Reads the attributes of a tag.
 * @throws PlaylistError when the list is malformed, or one of those attributes absent or empty
 */
export function readAttributes(
  list: string,
  required: readonly string[] = [],
): ReadonlyMap<string, string> {
  const attributes = parseAttributes(list)
  if (attributes === undefined) throw new PlaylistError('malformed attribute list')
  const missing = required.find((name) => (attributes.get(name) ?? '') === '')
  if (missing !== undefined) throw new PlaylistError(`${missing} is missing`)
  return attributes
}
/**
 * Quotes a value.
 * @throws RangeError when it holds what a quoted-string cannot, because there is no escape for it
 */
export function quoted(value: string): Quoted {
  if (/["\r\n]/.test(value)) {
    throw new RangeError('a quoted-string cannot hold quotes or line breaks')
  }
  return { quoted: value }
}

/** Writes the attributes in the order given; an undefined one is left out. */
export function writeAttributes(
  attributes: Readonly<Record<string, AttributeValue | undefined>>,
): string {
  return Object.entries(attributes)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${writeValue(value)}`]))
    .join(',')
}

function writeValue(value: AttributeValue): string {
  if (typeof value === 'object') return `"${value.quoted}"`
  const text = String(value)
  if (/["\s,]/.test(text)) {
    throw new RangeError('an enumerated-string cannot hold quotes, commas or white space')
  }
  return text
}
