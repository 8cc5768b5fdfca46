import { Parser } from 'm3u8-parser'
import type { z } from 'zod'
import { PlaylistError } from './playlist-error.ts'

/** KVS lists at most 5,000 fragments of about 300 characters each; this is more than twice that. */
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_LINE_CHARACTERS = 16 * 1024

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

/** m3u8-parser passes over a number that is none, and would begin at 0. */
const BROKEN_NUMBER =
  /^#(EXT-X-(?:TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE))(?![A-Z-])(?!:\d{1,15}(?:\.\d*)?\s*$)/m

/**
 * Reads a playlist with m3u8-parser, guarded on both sides: only a playlist of bounded size goes in, and what
 * comes out must have the shape that `schema` says. `tags` are read by ourselves; all others but a few pass by.
 *
 * @throws PlaylistError and nothing else
 */
export function readPlaylist<T>(
  written: string,
  schema: z.ZodType<T>,
  tags: Readonly<Record<string, TagReader>>,
): T {
  const text = guarded(written)
  const parser = parserOf(text, tags)
  try {
    parser.push(text)
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

/** An HTML error page read as a playlist would be an empty one without any sign of trouble. */
function guarded(text: string): string {
  if (text.length > MAX_CHARACTERS) {
    throw new PlaylistError(`expected at most ${MAX_CHARACTERS} characters, got ${text.length}`)
  }
  if (!/^#EXTM3U\s*(?:\n|$)/.test(text)) {
    throw new PlaylistError('line 1: expected #EXTM3U')
  }
  const long = /^.{16385}/m.exec(text)
  if (long !== null) {
    const line = lineAt(text, long.index)
    throw new PlaylistError(`line ${line}: longer than ${MAX_LINE_CHARACTERS} characters`)
  }
  const broken = BROKEN_NUMBER.exec(text)
  if (broken !== null) {
    throw new PlaylistError(`line ${lineAt(text, broken.index)}, #${broken[1]}: expected a number`)
  }
  return text
}

function parserOf(text: string, tags: Readonly<Record<string, TagReader>>): Parser {
  const parser = new Parser()
  for (const [name, read] of Object.entries(tags)) {
    parser.addParser({
      expression: new RegExp(`^#${name}(?![A-Z0-9-])(?!:$)`),
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

/** Counted from 1. */
function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
