/**
 * A reader of ISO base media boxes, written for the judge alone: if it shared code with the product, both
 * could be wrong in the same way.
 */
export interface Box {
  readonly type: string
  /** Without the header. A view into the input, not a copy. */
  readonly body: Buffer
  /** Of the header, from the start of the input. */
  readonly start: number
  readonly end: number
}

/** The bytes are not what ISO/IEC 14496-12 asks for. */
export class BoxError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BoxError'
  }
}

/** The boxes that fill `bytes` exactly, one after the other. */
export function readBoxes(bytes: Buffer): readonly Box[] {
  const boxes: Box[] = []
  for (let at = 0; at < bytes.length; ) {
    const box = readBox(bytes, at)
    boxes.push(box)
    at = box.end
  }
  return boxes
}

function readBox(bytes: Buffer, start: number): Box {
  if (start + 8 > bytes.length) throw new BoxError(`half a box header at byte ${start}`)
  const type = bytes.toString('latin1', start + 4, start + 8)
  const short = bytes.readUInt32BE(start)
  const large = short === 1 && start + 16 <= bytes.length
  const size = large ? Number(bytes.readBigUInt64BE(start + 8)) : short
  const header = large ? 16 : 8
  const end = start + size
  if (size < header || end > bytes.length) {
    throw new BoxError(`${type} at byte ${start} claims ${size} of ${bytes.length - start} bytes`)
  }
  return { type, body: bytes.subarray(start + header, end), start, end }
}

/** The one box of this type among `boxes`. */
export function only(boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type)
  const [first] = found
  if (first === undefined || found.length > 1) throw new BoxError(`${found.length} × ${type}`)
  return first
}

/** Walks down: `descend(boxes, 'moov', 'trak', 'mdia')` is the one mdia in the one trak in the one moov. */
export function descend(boxes: readonly Box[], ...path: readonly string[]): Box {
  const [type, ...deeper] = path
  if (type === undefined) throw new BoxError('an empty path')
  const box = only(boxes, type)
  return deeper.length === 0 ? box : descend(readBoxes(box.body), ...deeper)
}
