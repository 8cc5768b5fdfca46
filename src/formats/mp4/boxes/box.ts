import { malformed } from '../mp4-error.ts'

/** Where a box lies in its buffer. ISO/IEC 14496-12, 4.2. All numbers are bytes. */
export interface Box {
  readonly type: string
  readonly start: number
  readonly size: number
  /** 8, or 16 with a 64-bit size. */
  readonly headerSize: number
  /** Present where its header leaves its size open: it goes on to the end of the file. */
  readonly isOpen?: true
}

const HEADER_BYTES = 8
const LARGE_HEADER_BYTES = 16

/** How many boxes may be in one place: more than in any real file, so that a crafted one costs no time. */
const MAX_BOXES = 4096

export function endOf(box: Box): number {
  return box.start + box.size
}

export function payloadStart(box: Box): number {
  return box.start + box.headerSize
}

/** How long the zeros are that may end a list of boxes. ISO/IEC 14496-12, 8.10.1; QuickTime File Format. */
const END_BYTES = 4

/**
 * Reads the boxes between `start` and `end`, which they must fill exactly.
 * @throws Mp4Error naming the first box that does not fit
 */
export function readBoxes(bytes: Buffer, start = 0, end = bytes.length): Box[] {
  const boxes: Box[] = []
  for (let at = start; at < end; ) {
    if (end - at === END_BYTES && bytes.readUInt32BE(at) === 0) break
    if (boxes.length === MAX_BOXES) throw malformed(`more than ${MAX_BOXES} boxes in one place`)
    const box = readHeader(bytes, at, end)
    if (box === undefined) throw malformed(`box header at ${at} is cut off at ${end}`)
    if (endOf(box) > end) throw malformed(`${describe(box)} of ${box.size} bytes runs past ${end}`)
    boxes.push(box)
    at = endOf(box)
  }
  return boxes
}

/**
 * Reads the boxes of a file, as leniently as players do: the last may leave its size open, and what stands behind it
 * and begins no box is passed over.
 * @throws Mp4Error naming the first box that does not fit
 */
export function readFile(bytes: Buffer): Box[] {
  const boxes: Box[] = []
  let at = 0
  while (at + HEADER_BYTES <= bytes.length) {
    if (bytes.readUInt32BE(at) === 0) {
      const type = bytes.toString('latin1', at + 4, at + 8)
      boxes.push({
        type,
        start: at,
        size: bytes.length - at,
        headerSize: HEADER_BYTES,
        isOpen: true,
      })
      return boxes
    }
    const box = readHeader(bytes, at, bytes.length)
    if (box === undefined || boxes.length === MAX_BOXES || endOf(box) > bytes.length) break
    boxes.push(box)
    at = endOf(box)
  }
  // The size of a box that is cut off begins with 0, unless it has 16 MB.
  const isRest = bytes.length - at < HEADER_BYTES && bytes[at] !== 0
  return isRest ? boxes : [...boxes, ...readBoxes(bytes, at)]
}

export function readChildren(bytes: Buffer, parent: Box): Box[] {
  return readBoxes(bytes, payloadStart(parent), endOf(parent))
}

/**
 * Reads the header at `at`; undefined when `end` cuts it off. The box itself may run past `end`.
 * @throws Mp4Error on a size of 0 ("to the end of the file"), too small, or too large to count
 */
export function readHeader(bytes: Buffer, at: number, end: number): Box | undefined {
  if (at + HEADER_BYTES > end) return undefined
  const type = bytes.toString('latin1', at + 4, at + 8)
  const size = bytes.readUInt32BE(at)
  if (size === 1) {
    return at + LARGE_HEADER_BYTES > end ? undefined : readLargeHeader(bytes, at, type)
  }
  return checkedBox({ type, start: at, size, headerSize: HEADER_BYTES })
}

function readLargeHeader(bytes: Buffer, at: number, type: string): Box {
  return checkedBox({
    type,
    start: at,
    size: Number(bytes.readBigUInt64BE(at + 8)),
    headerSize: LARGE_HEADER_BYTES,
  })
}

function checkedBox(box: Box): Box {
  if (box.size < box.headerSize || !Number.isSafeInteger(box.size)) {
    throw malformed(`${describe(box)} claims a size of ${box.size} bytes`)
  }
  return box
}

/** Describes a box for messages; a type from damaged bytes is made printable. */
export function describe(box: Box): string {
  return `${box.type.replace(/[^\x20-\x7e]/g, '?')} box at ${box.start}`
}

/**
 * Returns the only box of that type.
 * @throws Mp4Error when there is none or more than one
 */
export function theOnly(boxes: readonly Box[], type: string, parent: string): Box {
  const found = boxes.filter((box) => box.type === type)
  const [box] = found
  if (box === undefined || found.length > 1) {
    throw malformed(`expected one ${type} box in ${parent}, got ${found.length}`)
  }
  return box
}

/** Returns the box's bytes, header included. */
export function sliceBox(bytes: Buffer, box: Box): Buffer {
  return bytes.subarray(box.start, endOf(box))
}

/** Writes a box with a 32-bit size around its parts, for {@link join}: a small one lies in Node's shared pool. */
export function writeBox(type: string, parts: readonly Buffer[]): Buffer {
  const size = HEADER_BYTES + lengthOf(parts)
  return copied(parts, writeHeader(type, size, Buffer.allocUnsafe(size)), HEADER_BYTES)
}

/** Writes what stands before the parts. */
export function writeBoxHeader(type: string, parts: readonly Buffer[]): Buffer {
  return writeHeader(type, HEADER_BYTES + lengthOf(parts), Buffer.allocUnsafe(HEADER_BYTES))
}

function writeHeader(type: string, size: number, into: Buffer): Buffer {
  into.writeUInt32BE(size, 0)
  into.write(type, 4, 4, 'latin1')
  return into
}

/** Joins parts to one buffer of exactly the size, outside Node's shared pool, which a small kept slice would pin. */
export function join(parts: readonly Buffer[]): Buffer {
  return copied(parts, Buffer.allocUnsafeSlow(lengthOf(parts)), 0)
}

function copied(parts: readonly Buffer[], into: Buffer, from: number): Buffer {
  let at = from
  for (const part of parts) {
    into.set(part, at)
    at += part.length
  }
  return into
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}

/**
 * Returns a box with other children.
 * @param replacement of a child; undefined where it stays as it is
 */
export function replaceChildren(
  bytes: Buffer,
  parent: Box,
  replacement: (child: Box) => Buffer | undefined,
): Buffer {
  const children = readChildren(bytes, parent)
  return writeBox(
    parent.type,
    children.map((child) => replacement(child) ?? sliceBox(bytes, child)),
  )
}
