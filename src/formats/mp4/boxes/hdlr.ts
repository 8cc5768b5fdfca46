import type { Box } from './box.ts'
import { Fields, u32, writeFullBox } from './fields.ts'

/** Handler reference: what kind of track it is. ISO/IEC 14496-12, 8.4.3. */
export interface Hdlr {
  /** The kind: `vide`, `soun`, … */
  readonly handler: string
  /** The name for people, byte for byte; with the zero that ends it. */
  readonly name: string
}

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readHdlr(bytes: Buffer, box: Box): Hdlr {
  const fields = new Fields(bytes, box)
  fields.versionAndFlags()
  fields.skip(4)
  const handler = fields.take(4).toString('latin1')
  fields.skip(12)
  return { handler, name: fields.rest().toString('latin1') }
}

export function writeHdlr({ handler, name }: Hdlr): Buffer {
  return writeFullBox('hdlr', {}, [
    u32(0),
    Buffer.from(handler, 'latin1'),
    u32(0, 0, 0),
    Buffer.from(name, 'latin1'),
  ])
}
