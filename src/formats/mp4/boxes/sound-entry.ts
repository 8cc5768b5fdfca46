import { unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'

/**
 * The sample entries of sound, and the box in each that configures a decoder. Frames of sound are never read: when they
 * come is in the fragment, what they are is in here, and any of them may be the first.
 */
const CONFIGURATIONS: ReadonlyMap<string, string> = new Map([
  ['mp4a', 'esds'],
  // "Encapsulation of Opus in ISO Base Media File Format", 4.3.
  ['Opus', 'dOps'],
  // "Encapsulation of FLAC in ISO Base Media File Format", 3.3.
  ['fLaC', 'dfLa'],
])

export function isSoundEntry({ type }: Box): boolean {
  return CONFIGURATIONS.has(type)
}

/**
 * Checks that an entry tells a decoder what it needs to know.
 * @param boxes of the entry
 * @throws Mp4Error when it does not
 */
export function checkSoundEntry(entry: Box, boxes: readonly Box[]): void {
  if (boxes.some(({ type }) => type === CONFIGURATIONS.get(entry.type))) return
  throw unsupported(`${describe(entry)} that configures no decoder`)
}
