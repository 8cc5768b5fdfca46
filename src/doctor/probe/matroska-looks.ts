import { type MatroskaTrack, readMatroska } from '../../formats/matroska/read-matroska.ts'
import type { MatroskaFragment } from '../../trace/trace.ts'

const ERROR_ID = 'AWS_KINESISVIDEO_ERROR_ID'

/** Looks at fragments as they were ingested: what they declare, and how their frames are marked. */
export function lookAtMatroska(bytes: Buffer, numbers: readonly string[]): MatroskaFragment[] {
  return readMatroska(bytes)
    .slice(0, numbers.length)
    .flatMap(({ tracks, tags }, i) => {
      const number = numbers[i]
      if (number === undefined) return []
      const errorId = Number(tags.get(ERROR_ID) ?? Number.NaN)
      return [
        {
          number,
          ...(Number.isInteger(errorId) ? { errorId } : {}),
          tracks: tracks.map(lookAtTrack),
        },
      ]
    })
}

function lookAtTrack({ number, type, codecId, codecPrivate, blocks }: MatroskaTrack) {
  return {
    number,
    type,
    codecId,
    privateBytes: codecPrivate.length,
    startCode: beginsWithStartCode(codecPrivate),
    blocks: blocks.map(({ atMs, isKey, frame }) => ({
      atMs,
      bytes: frame.length,
      isKey,
      startCode: type === 'video' && beginsWithStartCode(frame),
    })),
  }
}

/** ISO/IEC 14496-10, annex B. A length in its place would be that of a unit of one byte. */
function beginsWithStartCode(bytes: Buffer): boolean {
  return bytes.length > 4 && bytes.readUInt32BE(0) === 1
}
