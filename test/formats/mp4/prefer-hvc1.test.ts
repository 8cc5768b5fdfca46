import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Mp4Error } from '../../../src/formats/mp4/mp4-error.ts'
import { preferHvc1 } from '../../../src/formats/mp4/prefer-hvc1.ts'
import { readClip } from '../../support/mp4.ts'

const { init } = readClip('hevc')

function hev1(edit: (bytes: Buffer, arraysAt: number) => void = () => {}): Buffer {
  const bytes = Buffer.from(init)
  bytes.write('hev1', bytes.indexOf('hvc1'), 'latin1')
  edit(bytes, bytes.indexOf('hvcC') + 4 + 22)
  return bytes
}

test('hev1 with all its parameter sets in the init segment is hvc1', () => {
  const incomplete = hev1((bytes, at) => {
    bytes.writeUInt8(bytes.readUInt8(at + 1) & 0x7f, at + 1)
  })
  expect(preferHvc1(hev1())).toEqual(init)
  expect(preferHvc1(incomplete)).toEqual(init)
})

test('hev1 without them stays what it is', () => {
  const empty = hev1((bytes, at) => void bytes.writeUInt8(0, at))
  const other = hev1((bytes, at) => void bytes.writeUInt8(39, at + 1))
  expect(preferHvc1(empty)).toBe(empty)
  expect(preferHvc1(other)).toBe(other)
})

test('other init segments stay the bytes that they are', () => {
  for (const name of ['avc', 'hevc', 'aac'] as const) {
    const bytes = readClip(name).init
    expect(preferHvc1(bytes)).toBe(bytes)
  }
})

test('whatever the bytes: an init segment as long as before, or an Mp4Error', () => {
  const source = hev1()
  const edits = fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), { maxLength: 4 })
  fc.assert(
    fc.property(edits, (changes) => {
      const bytes = Buffer.from(source)
      for (const [at, value] of changes) bytes.writeUInt8(value, at)
      try {
        expect(preferHvc1(bytes)).toHaveLength(source.length)
      } catch (error) {
        expect(error).toBeInstanceOf(Mp4Error)
      }
    }),
  )
})
