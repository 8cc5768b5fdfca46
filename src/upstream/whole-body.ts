import { isAdts, scanAdts } from '../formats/aac/adts.ts'
import { isId3, skipId3 } from '../formats/aac/id3.ts'
import { readBoxes } from '../formats/mp4/boxes/box.ts'
import { Mp4Error, malformed } from '../formats/mp4/mp4-error.ts'

const TS_PACKET_BYTES = 188
const TS_SYNC = 0x47

/** Matches tags that say something of a URI that is still to come. */
const OPEN_TAG = /^#EXT(INF|-X-BYTERANGE|-X-STREAM-INF|-X-PROGRAM-DATE-TIME)\b/

/**
 * Says whether the bytes themselves show that nothing is missing at their end, for bodies whose end nothing else marks:
 * a playlist has a last line, and boxes, transport stream packets or AAC frames fill the body. Undefined where they do
 * not tell.
 */
export function isWhole(bytes: Buffer): boolean | undefined {
  const head = bytes.subarray(0, 16)
  if (/^\uFEFF?#EXTM3U/.test(head.toString())) return isWholePlaylist(bytes.toString())
  if (bytes[0] === TS_SYNC) return isWholeTransportStream(bytes)
  if (isId3(bytes) || isAdts(bytes)) return isWholeAudio(bytes)
  return isBox(head) ? fills(() => readBoxes(bytes)) : undefined
}

/** Says whether a box begins: four bytes of its size, then a type of four letters or digits. ISO/IEC 14496-12, 4.2. */
function isBox(head: Buffer): boolean {
  return /^[A-Za-z0-9 ]{4}$/.test(head.toString('latin1', 4, 8))
}

/**
 * Says whether a playlist is whole. One without a line break at its end may have been cut within a URI, or its writer left
 * that out.
 */
function isWholePlaylist(text: string): boolean | undefined {
  const last =
    text
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1) ?? ''
  if (last.startsWith('#EXT-X-ENDLIST')) return true
  if (OPEN_TAG.test(last)) return false
  return /[\r\n]$/.test(text) ? true : undefined
}

function isWholeTransportStream(bytes: Buffer): boolean {
  if (bytes.length % TS_PACKET_BYTES !== 0) return false
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) {
    if (bytes[at] !== TS_SYNC) return false
  }
  return true
}

function isWholeAudio(bytes: Buffer): boolean {
  return fills(() => {
    const frames = isId3(bytes) ? bytes.subarray(skipId3(bytes).length) : bytes
    if (scanAdts(frames).end < frames.length) throw malformed('the last frame is cut off')
  })
}

/** Says whether the bytes can be read to their end. */
function fills(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof Mp4Error) return false
    throw error
  }
}
