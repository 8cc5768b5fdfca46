import { writeBox } from './box.ts'
import { u32 } from './fields.ts'

/**
 * Writes the file type: which readers are fit for the file. ISO/IEC 14496-12, 4.3.
 * @param brand four letters, as each of `compatible`
 */
export function writeFtyp(brand: string, minorVersion: number, compatible: string[]): Buffer {
  return writeBox('ftyp', [
    Buffer.from(brand, 'latin1'),
    u32(minorVersion),
    Buffer.from(compatible.join(''), 'latin1'),
  ])
}

/** Writes that of init segments: fragments of one track. CMAF, 7.2. */
export function writeFragmentedFtyp(): Buffer {
  return writeFtyp('iso6', 0, ['iso6', 'cmfc', 'mp41'])
}
