import { Parser } from 'm3u8-parser'
import { z } from 'zod'
import { type DefineSources, readVariables, substitute, type Variables } from './define.ts'
import { PlaylistError } from './playlist-error.ts'

/**
 * How long a playlist may be: a list of 60,000 entries has some 1.5 MiB, or up to ten times that with dates and tokens.
 */
const MAX_CHARACTERS = 16 * 1024 * 1024
const MAX_LINE_CHARACTERS = 16 * 1024

/** EXT-X-VERSION, where it is a number that any version may come to have; else the list says none. */
export const versionSchema = z.number().int().positive().max(1000).optional().catch(undefined)

/**
 * Reads what stands behind a tag's colon. What it returns becomes `custom[tag]` of the segment or variant below.
 * @throws PlaylistError that says what is wrong; where is added
 */
export type TagReader = (value: string) => unknown

/**
 * The tags that m3u8-parser does not read rightly, and those that are not for us. A bare EXTINF or
 * EXT-X-STREAM-INF tells it what the URIs of the list are.
 */
const NOT_PASSED_ON =
  /^#EXT(?!(?:M3U|INF:$|-X-STREAM-INF:$|-X-(?:VERSION|TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE|DISCONTINUITY|PLAYLIST-TYPE|INDEPENDENT-SEGMENTS|ENDLIST)(?![A-Z-])))/

/** Matches a number that is none, because m3u8-parser passes over it, and would begin at 0. */
const BROKEN_NUMBER =
  /^[ \t]*#(EXT-X-(?:MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE))(?![A-Z-])(?!:\d{1,20}(?:\.\d*)?[\s,]*$)/m

/** Matches a number that JavaScript may not hold: some count microseconds, and RFC 8216bis, 4.2, allows 64 bits. */
const LONG_NUMBER = /^(#EXT-X-(?:MEDIA|DISCONTINUITY)-SEQUENCE:)(\d{16,20})(?!\d)/gm

/**
 * Makes sure that it is a playlist of bounded size, and puts the values of its variables in their places.
 * @throws PlaylistError when it is none: an HTML error page read as one would be an empty playlist
 */
export function playlistText(
  written: string,
  sources: DefineSources,
): { readonly text: string; readonly variables: Variables } {
  if (written.length > MAX_CHARACTERS) {
    throw new PlaylistError(`expected at most ${MAX_CHARACTERS} characters, got ${written.length}`)
  }
  // Bytes of UTF-16 that were read as UTF-8.
  if (written.slice(0, 8).includes('\0')) throw new PlaylistError('expected UTF-8, got UTF-16')
  const tidy = written.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
  // Some write attributes behind it.
  const [head] = /^\s*#EXTM3U(?![A-Z0-9-])/i.exec(tidy) ?? []
  if (head === undefined) throw new PlaylistError(`line 1: expected #EXTM3U, got ${kindOf(tidy)}`)
  const text = head.endsWith('#EXTM3U') ? tidy : inCapitals(tidy)
  if (!text.includes('#EXT-X-DEFINE')) return { text, variables: new Map() }
  const variables = readVariables(text, sources)
  return { text: substitute(text, variables, MAX_CHARACTERS), variables }
}

/** Writes the names of tags and attributes in capitals, for lists that have them in small letters. */
function inCapitals(text: string): string {
  return text.replaceAll(/^[ \t]*#ext.*$/gim, (line) =>
    line.replaceAll(/#ext[a-z0-9-]*|[,:][ \t]*[a-z][a-z0-9-]*(?=[ \t]*=)/gi, (name) =>
      name.toUpperCase(),
    ),
  )
}

/** Says what a text is that is no playlist, in words of ours. */
function kindOf(text: string): string {
  const [first = ''] = /\S/.exec(text) ?? []
  if (first === '') return 'nothing'
  if (first === '<') return 'a page or a document in XML'
  return '{['.includes(first) ? 'JSON' : 'something else'
}

/**
 * Reads a playlist's text with m3u8-parser, and checks that what comes out has the shape that `schema` says. `tags`
 * are read by ourselves; all others but a few pass by.
 *
 * @throws PlaylistError and nothing else
 */
export function readPlaylist<T>(
  text: string,
  schema: z.ZodType<T>,
  tags: Readonly<Record<string, TagReader>>,
): T {
  // m3u8-parser reads nothing behind `TAG: `.
  const tidy = text
    .replace(/^[ \t]*(#EXT[A-Z0-9-]*)[ \t]*:[ \t]*/gm, '$1:')
    .replace(LONG_NUMBER, (_, tag: string, digits: string) => `${tag}${countable(digits)}`)
  refuseBroken(tidy)
  const parser = parserOf(tidy, tags)
  try {
    parser.push(tidy)
    parser.end()
  } catch (error) {
    if (error instanceof PlaylistError) throw error
    throw new PlaylistError('malformed playlist', { cause: error })
  }
  const result = schema.safeParse(parser.manifest)
  if (result.success) return result.data
  // Issues name our own keys and types, never the text.
  const [issue] = result.error.issues
  throw new PlaylistError(`${issue?.path.join('.') ?? 'playlist'}: ${issue?.message ?? 'invalid'}`)
}

/** Returns the number, or its last digits where it is too long: they count as well. */
function countable(digits: string): string {
  return Number.isSafeInteger(Number(digits)) ? digits : digits.slice(-15)
}

function refuseBroken(text: string): void {
  let line = 0
  for (let at = 0, end = 0; end !== -1; at = end + 1) {
    line += 1
    end = text.indexOf('\n', at)
    if ((end === -1 ? text.length : end) - at > MAX_LINE_CHARACTERS) {
      throw new PlaylistError(`line ${line}: longer than ${MAX_LINE_CHARACTERS} characters`)
    }
  }
  const broken = BROKEN_NUMBER.exec(text)
  if (broken === null) return
  const lines = text.slice(0, broken.index).split('\n')
  throw new PlaylistError(`line ${lines.length}, #${broken[1]}: expected a number`)
}

const expressions = new Map<string, RegExp>()

/** Matches a line of a tag. Of those that m3u8-parser reads too, the bare ones are for it alone: see below. */
function expressionOf(name: string): RegExp {
  const known = expressions.get(name)
  const expression =
    known ?? new RegExp(`^#${name}(?![A-Z0-9-])${name.endsWith('INF') ? '(?!:$)' : ''}`)
  expressions.set(name, expression)
  return expression
}

function parserOf(text: string, tags: Readonly<Record<string, TagReader>>): Parser {
  const parser = new Parser()
  for (const [name, read] of Object.entries(tags)) {
    parser.addParser({
      expression: expressionOf(name),
      customType: name,
      segment: true,
      dataParser: (line) => located(text, name, line, read),
    })
  }
  parser.addTagMapper({
    expression: /^#(?:EXTINF|EXT-X-STREAM-INF):/,
    map: (line) => line.slice(0, line.indexOf(':') + 1),
  })
  parser.addParser({ expression: NOT_PASSED_ON, customType: 'unread' })
  return parser
}

function located(text: string, name: string, line: string, read: TagReader): unknown {
  try {
    return read(line.slice(name.length + 2))
  } catch (error) {
    if (!(error instanceof PlaylistError)) throw error
    const number = text.split('\n').findIndex((one) => one.trim() === line) + 1
    throw new PlaylistError(`line ${number}, #${name}: ${error.message}`)
  }
}
