import { Parser } from 'm3u8-parser'
import type { z } from 'zod'
import { PlaylistError, type PlaylistLine } from './playlist-error.ts'

/** Tags that we read ourselves: see segment-context.ts. */
const OURS: ReadonlySet<string> = new Set(['#EXT-X-MAP', '#EXT-X-KEY', '#EXT-X-BYTERANGE'])

/**
 * Reads a playlist with m3u8-parser, guarded on both sides: only lines of known form go in (see
 * rules.ts), and what comes out must have the shape that `schema` says.
 *
 * @throws PlaylistError and nothing else
 */
export function readPlaylist<T>(lines: readonly PlaylistLine[], schema: z.ZodType<T>): T {
  const manifest = parseManifest(lines.filter(({ tag }) => !OURS.has(tag)))
  const result = schema.safeParse(manifest)
  if (result.success) return result.data
  // Issues name our own keys and types, never the text.
  const [issue] = result.error.issues
  throw new PlaylistError(`${issue?.path.join('.') ?? 'playlist'}: ${issue?.message ?? 'invalid'}`)
}

function parseManifest(lines: readonly PlaylistLine[]): unknown {
  const parser = new Parser()
  // The parser itself forgets EXT-X-GAP.
  parser.addParser({ expression: /^#EXT-X-GAP/, customType: 'gap', segment: true })
  try {
    parser.push(lines.map(writeLine).join('\n'))
    parser.end()
  } catch (error) {
    throw new PlaylistError('malformed playlist', { cause: error })
  }
  return parser.manifest
}

function writeLine({ tag, value }: PlaylistLine): string {
  if (tag === '') return value
  return value === '' ? tag : `${tag}:${value}`
}
