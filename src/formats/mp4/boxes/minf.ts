import { writeBox } from './box.ts'
import { u16, u32, writeFullBox } from './fields.ts'

/**
 * Writes media information: a header for the kind of track, where its data are, and its sample tables. ISO/IEC
 * 14496-12, 8.4.4, 8.4.5, 8.7.1.
 */
export function writeMinf(kind: 'video' | 'audio', stbl: Buffer): Buffer {
  const header =
    kind === 'video'
      ? writeFullBox('vmhd', { flags: 1 }, [u16(0, 0, 0, 0)])
      : writeFullBox('smhd', {}, [u16(0, 0)])
  // One data reference, whose flag says: this file.
  const dref = writeFullBox('dref', {}, [u32(1), writeFullBox('url ', { flags: 1 }, [])])
  return writeBox('minf', [header, writeBox('dinf', [dref]), stbl])
}
