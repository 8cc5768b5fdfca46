/** The nal_unit_type of H.264's messages. ISO/IEC 14496-10, table 7-1. */
const SEI = 6
/** The payload type of a recovery point message. ISO/IEC 14496-10, D.1.8. */
const RECOVERY_POINT = 6

/**
 * Says of a NAL unit of H.264 whether it is a message that decoding may start here, as encoders with open groups
 * of pictures or with intra refresh send it.
 * @returns `whole`: the picture that follows is whole at once (recovery_frame_cnt of 0); `gradual`: a later one
 *   is; undefined for all other units
 */
export function recoveryPointOf(unit: Buffer): 'whole' | 'gradual' | undefined {
  if (((unit[0] ?? 0) & 0x1f) !== SEI) return undefined
  for (let at = 1; at + 2 < unit.length; ) {
    const [type, afterType] = codedByFF(unit, at)
    const [size, dataAt] = codedByFF(unit, afterType)
    // recovery_frame_cnt is ue(v): 0 is a single 1.
    if (type === RECOVERY_POINT) return ((unit[dataAt] ?? 0) & 0x80) === 0 ? 'gradual' : 'whole'
    at = dataAt + size
  }
  return undefined
}

/** Reads a number as SEI writes it: ff for each 255, and a last byte. Returns it, and where the next byte is. */
function codedByFF(unit: Buffer, from: number): readonly [number, number] {
  let at = from
  let value = 0
  while (unit[at] === 0xff) {
    value += 255
    at += 1
  }
  return [value + (unit[at] ?? 0), at + 1]
}
