import { PlaylistError, type PlaylistLine } from './playlist-error.ts'

/** KVS lists at most 5,000 fragments of about 300 characters each; this is more than twice that. */
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_LINE_CHARACTERS = 16 * 1024

/**
 * The tags and URIs of a playlist in order, without comments and empty lines.
 *
 * @throws PlaylistError when the text is no playlist: an HTML error page read as one would be an empty
 * playlist without any sign of trouble.
 */
export function playlistLines(text: string): PlaylistLine[] {
  if (text.length > MAX_CHARACTERS) {
    throw new PlaylistError(`expected at most ${MAX_CHARACTERS} characters, got ${text.length}`)
  }
  const lines = text.split('\n').map((line) => line.trim())
  if (lines[0] !== '#EXTM3U') throw new PlaylistError('line 1: expected #EXTM3U')
  return lines.flatMap((line, index) => (isContent(line) ? [toLine(line, index + 1)] : []))
}

/** RFC 8216, 4.1: lines that begin with # are comments unless they begin with #EXT. */
function isContent(line: string): boolean {
  return line !== '' && (!line.startsWith('#') || line.startsWith('#EXT'))
}

function toLine(line: string, number: number): PlaylistLine {
  if (line.length > MAX_LINE_CHARACTERS) {
    throw new PlaylistError(`line ${number}: longer than ${MAX_LINE_CHARACTERS} characters`)
  }
  if (!line.startsWith('#')) return { number, tag: '', value: line }
  const colon = line.indexOf(':')
  return colon === -1
    ? { number, tag: line, value: '' }
    : { number, tag: line.slice(0, colon), value: line.slice(colon + 1) }
}
