import { open } from 'node:fs/promises'
import { Mp4Error } from '../formats/mp4/mp4-error.ts'
import { type Movie, readMovie } from '../formats/mp4/read-movie.ts'

/** How large a file may be, because it stays in memory: minutes of a picture that hardly moves. */
const MAX_BYTES = 64 * 2 ** 20

/** Says why a file cannot be shown as slate. The message completes “got …”. */
export class SlateFileError extends Error {
  constructor(got: string, options?: ErrorOptions) {
    super(got, options)
    this.name = 'SlateFileError'
  }
}

export const SLATE_FILE_EXPECTED =
  'an MP4 of at most 64 MiB with H.264 or HEVC, and AAC-LC if it has sound'

/**
 * Reads the operator's slate.
 * @throws SlateFileError
 */
export async function readSlateFile(path: string): Promise<Movie> {
  const movie = parse(await readBounded(path))
  if (movie.video === undefined) throw new SlateFileError('one without video')
  return movie
}

function parse(bytes: Buffer): Movie {
  try {
    return readMovie(bytes)
  } catch (error) {
    if (!(error instanceof Mp4Error)) throw error
    throw new SlateFileError(error.message, { cause: error })
  }
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    await using file = await open(path)
    const stat = await file.stat()
    if (!stat.isFile()) throw new SlateFileError('something else than a file')
    if (stat.size > MAX_BYTES) throw new SlateFileError(`${stat.size} bytes`)
    return await file.readFile()
  } catch (error) {
    if (error instanceof SlateFileError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new SlateFileError(code, { cause: error })
  }
}
