import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endOf, readBoxes } from '../../../../src/formats/mp4/boxes/box.ts'
import { Mp4Error } from '../../../../src/formats/mp4/mp4-error.ts'
import { box } from '../../../support/mp4.ts'

function sized(size: number, type = 'free'): Buffer {
  const bytes = box(type)
  bytes.writeUInt32BE(size, 0)
  return bytes
}

test('boxes follow one another, and 64-bit sizes count', () => {
  const large = Buffer.concat([sized(1, 'mdat'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 18, 7, 7])])
  expect(readBoxes(Buffer.concat([box('styp', Buffer.alloc(4)), large]))).toEqual([
    { type: 'styp', start: 0, size: 12, headerSize: 8 },
    { type: 'mdat', start: 12, size: 18, headerSize: 16 },
  ])
})

describe('a box that does not fit is named with its place', () => {
  test.each([
    ['runs on', sized(9), /free box at 0 of 9 bytes runs past 8/],
    ['has no size', sized(0), /free box at 0 claims a size of 0/],
    ['is smaller than its header', sized(7), /claims a size of 7/],
    ['is cut off in its header', box('free').subarray(0, 7), /header at 0 is cut off at 7/],
    ['is cut off in its 64-bit size', sized(1), /header at 0 is cut off/],
    ['has a name of control characters', sized(9, '\u0001\u0002ab'), /\?\?ab box/],
    ['is larger than can be counted', Buffer.concat([sized(1), Buffer.alloc(8, 0xff)]), /claims/],
    ['is one of too many', Buffer.concat(Array<Buffer>(5000).fill(box('free'))), /more than 4096/],
  ])('%s', (_, bytes, message) => {
    expect(() => readBoxes(bytes)).toThrow(Mp4Error)
    expect(() => readBoxes(bytes)).toThrow(message)
  })
})

test('whatever the bytes, boxes cover them exactly or an Mp4Error says why not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (array) => {
      const bytes = Buffer.from(array)
      try {
        const boxes = readBoxes(bytes)
        expect(boxes.reduce((sum, { size }) => sum + size, 0)).toBe(bytes.length)
        const last = boxes.at(-1)
        if (last !== undefined) expect(endOf(last)).toBe(bytes.length)
      } catch (error) {
        if (!(error instanceof Mp4Error)) throw error
      }
    }),
  )
})
