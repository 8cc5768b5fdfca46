/** ISO/IEC 14496-3, table 1.19: channels by channelConfiguration. 0 says "see elsewhere". */
const CHANNELS = [undefined, 1, 2, 3, 4, 5, 6, 8]

/**
 * How many channels an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) announces; undefined when it does
 * not say. The sample entry's own count cannot be trusted: muxers write the 2 of the MP4 template there
 * for mono as well.
 */
export function channelsOf(config: Uint8Array): number | undefined {
  const bits = [...config.subarray(0, 8)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const take = (at: number, length: number): number =>
    Number.parseInt(bits.slice(at, at + length), 2)
  // An object type of 31 and a frequency index of 15 are escapes that more bits follow.
  const frequencyAt = take(0, 5) === 31 ? 11 : 5
  const channelsAt = frequencyAt + (take(frequencyAt, 4) === 15 ? 28 : 4)
  return bits.length < channelsAt + 4 ? undefined : CHANNELS[take(channelsAt, 4)]
}
