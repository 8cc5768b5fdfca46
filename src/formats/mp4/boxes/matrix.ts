import { type Fields, i32 } from './fields.ts'

/**
 * Says how pictures are turned, scaled and moved when they are shown: a, b, u, c, d, v, x, y, w, of which u, v and w
 * are 2.30 and the others 16.16. ISO/IEC 14496-12, 6.2.2 and 8.3.2.
 */
export type Matrix = readonly number[]

const NUMBERS = 9

/** Turns and scales nothing. */
export const UNITY: Matrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]

export function readMatrix(fields: Fields): Matrix {
  return Array.from({ length: NUMBERS }, () => fields.int32())
}

export function writeMatrix(matrix: Matrix): Buffer {
  return i32(...matrix)
}
