import { findBox } from './box.ts'

const VISUAL_ENTRY_BYTES = 78
const AUDIO_ENTRY_BYTES = 28

/**
 * Returns the RFC 6381 codec string of a sample entry: `avc1.64001f`, `hvc1.1.6.L90.90`, `mp4a.40.2`. Throws RangeError
 * for any other codec.
 */
export function codecString(entry: { readonly type: string; readonly body: Buffer }): string {
  switch (entry.type) {
    case 'avc1':
      return `avc1.${parameterSets(entry.body, 'avcC').toString('hex', 1, 4)}`
    case 'hvc1':
      return `hvc1.${hevcProfile(parameterSets(entry.body, 'hvcC'))}`
    case 'mp4a':
      // AAC-LC is all that the clips hold; findBox makes sure that there is a decoder description.
      findBox(entry.body.subarray(AUDIO_ENTRY_BYTES), 'esds')
      return 'mp4a.40.2'
    default:
      throw new RangeError(`no codec string for ${entry.type}`)
  }
}

/** Returns the decoder configuration record: `avcC` or `hvcC`. */
export function parameterSets(entryBody: Buffer, type: 'avcC' | 'hvcC'): Buffer {
  return findBox(entryBody.subarray(VISUAL_ENTRY_BYTES), type)
}

/** Reads width and height in pixels of a visual sample entry. */
export function pictureSize(entryBody: Buffer): { width: number; height: number } {
  return { width: entryBody.readUInt16BE(24), height: entryBody.readUInt16BE(26) }
}

/** Reads profile, compatibility (bits reversed), tier and level, constraints. ISO/IEC 14496-15, annex E. */
function hevcProfile(hvcC: Buffer): string {
  const profile = hvcC.readUInt8(1)
  const tier = (profile & 0x20) === 0 ? 'L' : 'H'
  const constraints =
    hvcC
      .toString('hex', 6, 12)
      .replace(/(00)+$/, '')
      .match(/../g) ?? []
  const compatibility = reverse32(hvcC.readUInt32BE(2)).toString(16)
  return [profile & 0x1f, compatibility, `${tier}${hvcC.readUInt8(12)}`, ...constraints].join('.')
}

function reverse32(value: number): number {
  let reversed = 0
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((value >>> bit) & 1)
  return reversed
}
