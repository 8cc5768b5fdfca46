import { createFile, type ISOFile, Log, MP4BoxBuffer } from 'mp4box'
import { Mp4Error } from './mp4-error.ts'

// mp4box tells its log of damaged boxes and carries on; its log has no level above "error" and would
// print. Here damage is an exception. Ours is the only file that imports mp4box.
Log.error = (module: string, message?: string): void => {
  throw new Mp4Error('malformed', `${module}: ${message ?? 'damaged'}`)
}

export type { ISOFile }

/**
 * Parses bytes whose box structure has been checked, and hands the result to `read`. Always in a new
 * ISOFile: one keeps everything that it was ever fed.
 *
 * @throws Mp4Error whatever mp4box or `read` throws
 */
export function readWithMp4box<T>(bytes: Buffer, read: (file: ISOFile) => T): T {
  try {
    const file = createFile(false)
    file.appendBuffer(toMp4BoxBuffer(bytes), true)
    return read(file)
  } catch (error) {
    if (error instanceof Mp4Error) throw error
    throw new Mp4Error('malformed', 'mp4box cannot read it', { cause: error })
  }
}

function toMp4BoxBuffer(bytes: Buffer): MP4BoxBuffer {
  const buffer = new MP4BoxBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  buffer.fileStart = 0
  return buffer
}
