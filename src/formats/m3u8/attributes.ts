import { PlaylistError } from './playlist-error.ts'

/**
 * Attribute lists, RFC 8216, 4.2: `NAME=value,NAME="quoted value"`.
 */

/** An attribute value as it will stand in the list: already quoted where the tag wants quotes. */
export type AttributeValue = string | number | Quoted

/** A quoted-string. Made by {@link quoted}. */
export interface Quoted {
  readonly quoted: string
}

const ATTRIBUTE = /[ \t]*([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)/y

/**
 * Reads an attribute list in one pass, quotes removed. Returns undefined when it is malformed.
 * Linear on purpose: m3u8-parser's own expression is quadratic on lists without `=`.
 */
export function parseAttributes(list: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>()
  ATTRIBUTE.lastIndex = 0
  while (ATTRIBUTE.lastIndex < list.length) {
    const match = ATTRIBUTE.exec(list)
    const [, name, value] = match ?? []
    if (name === undefined || value === undefined) return undefined
    attributes.set(name, value.startsWith('"') ? value.slice(1, -1) : value)
  }
  return attributes
}

/** @throws PlaylistError when the list is malformed, or one of those attributes absent or empty */
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
 * @throws RangeError when the value holds what a quoted-string cannot: there is no escape for it.
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
