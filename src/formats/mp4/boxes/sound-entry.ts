import { unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'
import { Fields } from './fields.ts'

/**
 * The sample entries of sound, those first that more players take, and the box in each that configures a decoder. Frames of sound are never read: when they
 * come is in the fragment, what they are is in here, and any of them may be the first.
 */
const CONFIGURATIONS: ReadonlyMap<string, string> = new Map([
  ['mp4a', 'esds'],
  // "Encapsulation of Opus in ISO Base Media File Format", 4.3.
  ['Opus', 'dOps'],
  // "Encapsulation of FLAC in ISO Base Media File Format", 3.3.
  ['fLaC', 'dfLa'],
  // ETSI TS 102 366, annex F.
  ['ac-3', 'dac3'],
  ['ec-3', 'dec3'],
])

const TYPES = [...CONFIGURATIONS.keys()]

export function isSoundEntry({ type }: Box): boolean {
  return CONFIGURATIONS.has(type)
}

/** Returns the less, the more players take such an entry. */
export function rankOf({ type }: Box): number {
  return TYPES.indexOf(type)
}

/**
 * Finds the box that configures the decoder.
 * @param boxes of the entry
 * @throws Mp4Error when there is none
 */
export function soundConfigurationOf(entry: Box, boxes: readonly Box[]): Box {
  const box = boxes.find(({ type }) => type === CONFIGURATIONS.get(entry.type))
  if (box === undefined) throw unsupported(`${describe(entry)} that configures no decoder`)
  return box
}

/** Channels without that of low frequencies, by acmod. ETSI TS 102 366, 4.4.2.3. */
const CHANNELS_BY_MODE = [2, 1, 2, 3, 3, 4, 4, 5] as const
/** Channels by the bit of chan_loc, the lowest first. ETSI TS 102 366, F.6. */
const CHANNELS_BY_LOCATION = [2, 2, 1, 1, 2, 2, 2, 1, 1] as const

/**
 * Returns how many channels AC-3 or E-AC-3 has, because the count in the entry is to be ignored; undefined for other codecs.
 * @param box the configuration
 * @throws Mp4Error when it is cut off
 */
export function dolbyChannels(bytes: Buffer, box: Box): number | undefined {
  if (box.type !== 'dac3' && box.type !== 'dec3') return undefined
  const fields = new Fields(bytes, box)
  if (box.type === 'dac3') return channelsOfMode((fields.uint16() << 8) + fields.uint8(), 10)
  // Of several programmes in one stream decoders take the first.
  fields.skip(2)
  const programme = (fields.uint16() << 8) + fields.uint8()
  const main = channelsOfMode(programme, 8)
  const hasMore = ((programme >> 1) & 0xf) > 0
  return hasMore ? main + channelsAt(((programme & 1) << 8) + fields.uint8()) : main
}

/** @param lowAt which bit says that there is a channel of low frequencies; the mode is above it */
function channelsOfMode(bits: number, lowAt: number): number {
  const mode = CHANNELS_BY_MODE[(bits >> (lowAt + 1)) & 7] ?? 0
  return mode + ((bits >> lowAt) & 1)
}

function channelsAt(locations: number): number {
  return CHANNELS_BY_LOCATION.reduce(
    (sum: number, channels, bit) => sum + ((locations >> bit) & 1) * channels,
    0,
  )
}
