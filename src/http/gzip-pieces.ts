import { constants, crc32, deflateRawSync } from 'node:zlib'
import { ownMemory } from '../base/own-memory.ts'

/** A piece of a text, compressed so that it can stand between any others. */
export interface DeflatedPiece {
  /** The length of the text. */
  readonly bytes: number
  readonly crc: number
  /** What a CRC is multiplied by when this text follows. */
  readonly shift: number
  /** The deflated text: whole bytes of deflate blocks, none of them the last, which refer to nothing before them. */
  readonly deflated: Buffer
}

/** The head of a gzip member: deflate, no name, no time, an unknown system. RFC 1952, 2.3. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
/** The last block, of the fixed codes, with nothing in it. RFC 1951, 3.2.6. */
const LAST_BLOCK = Buffer.from([3, 0])

export function deflatePiece(text: Buffer): DeflatedPiece {
  const deflated = ownMemory(deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH }))
  return { bytes: text.length, crc: crc32(text), shift: powerOfX(8 * text.length), deflated }
}

/**
 * Joins the pieces to one gzip member, nothing compressed again. (Members could simply follow each other, RFC 1952,
 * 2.2; but Chromium reads no further than the first.)
 */
export function gzipOf(pieces: readonly DeflatedPiece[]): readonly Buffer[] {
  const crc = pieces.reduce((sum, piece) => (multiply(piece.shift, sum) ^ piece.crc) >>> 0, 0)
  const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc, 0)
  trailer.writeUInt32LE(bytes % 2 ** 32, 4)
  return [HEADER, ...pieces.map(({ deflated }) => deflated), LAST_BLOCK, trailer]
}

/*
 * CRC-32 is arithmetic in GF(2)[x] modulo this polynomial, its bits reversed: the CRC of two texts, one
 * after the other, is that of the first times x^(8 · length of the second), plus that of the second.
 */
const POLYNOMIAL = 0xedb88320
const ONE = 0x80000000

function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL
  }
  return product >>> 0
}

/** Computes by squaring: x, x², x⁴ … */
function powerOfX(exponent: number): number {
  let power = ONE
  let square = ONE >>> 1
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}
