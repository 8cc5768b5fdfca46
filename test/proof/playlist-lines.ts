/** One meaningful line of a playlist. */
export type PlaylistLine =
  | { readonly kind: 'tag'; readonly name: string; readonly value: string; readonly number: number }
  | { readonly kind: 'uri'; readonly uri: string; readonly number: number }

const TAG = /^#(EXT[A-Z0-9-]*)(?::(.*))?$/
/** What RFC 3986 lets stand in a URI reference. */
const URI_REFERENCE = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/

/**
 * Splits a playlist into tags and URIs as strictly as RFC 8216, 4.1 is written. Players are lenient, each
 * in another way; what passes here no player can misread.
 * @throws SyntaxError naming the line
 */
export function playlistLines(text: string): readonly PlaylistLine[] {
  if (!text.startsWith('#EXTM3U\n')) throw new SyntaxError('line 1: not #EXTM3U')
  if (!text.endsWith('\n')) throw new SyntaxError('the last line does not end')
  return text
    .slice(0, -1)
    .split('\n')
    .map((line, index) => readLine(line, index + 1))
    .filter((line) => line !== undefined)
    .slice(1)
}

function readLine(line: string, number: number): PlaylistLine | undefined {
  if (line === '') return undefined
  if (line.trim() !== line) throw new SyntaxError(`line ${number}: white space around "${line}"`)
  const [, name, value = ''] = TAG.exec(line) ?? []
  if (name !== undefined) return { kind: 'tag', name, value, number }
  if (line.startsWith('#EXT')) throw new SyntaxError(`line ${number}: malformed tag "${line}"`)
  if (line.startsWith('#')) return undefined
  if (!URI_REFERENCE.test(line)) throw new SyntaxError(`line ${number}: not a URI: "${line}"`)
  return { kind: 'uri', uri: line, number }
}

/** Runs `read` and puts the line's number in front of what it complains about. */
export function atLine<T>(number: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new SyntaxError(`line ${number}: ${error.message}`, { cause: error })
  }
}
