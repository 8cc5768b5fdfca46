import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deflatePiece, gzipOf } from '../../src/http/gzip-pieces.ts'

test('pieces that were compressed apart are one gzip member of them all', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 20 }), (texts) => {
      const pieces = texts.map((text) => deflatePiece(Buffer.from(text)))
      expect(gunzipSync(Buffer.concat(gzipOf(pieces)))).toEqual(Buffer.concat(texts))
    }),
  )
})

test('also of long ones', () => {
  const text = Buffer.from('#EXTINF:2.000,\n'.repeat(100_000))
  const packed = Buffer.concat(gzipOf([text, text, text].map(deflatePiece)))
  expect(gunzipSync(packed)).toEqual(Buffer.concat([text, text, text]))
  expect(packed.length).toBeLessThan(text.length / 50)
})
