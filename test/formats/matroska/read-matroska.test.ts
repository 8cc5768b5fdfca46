import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMatroska } from '../../../src/formats/matroska/read-matroska.ts'

/** Writes an element with a size of `bytes` bytes. RFC 8794, 4.4. */
function element(id: string, payload: Buffer, bytes = 4): Buffer {
  const size = Buffer.alloc(bytes)
  size.writeUIntBE(payload.length, Math.max(0, bytes - 6), Math.min(6, bytes))
  size[0] = (size[0] ?? 0) | (0x100 >> bytes)
  return Buffer.concat([Buffer.from(id, 'hex'), size, payload])
}

const master = (id: string, ...children: Buffer[]): Buffer => element(id, Buffer.concat(children))
const open = (id: string, size: string): Buffer => Buffer.from(id + size, 'hex')
const number = (id: string, value: number): Buffer => element(id, Buffer.from([value]), 1)
const text = (id: string, value: string): Buffer => element(id, Buffer.from(value))
const block = (id: string, ...bytes: number[]): Buffer => element(id, Buffer.from(bytes), 8)
const tag = (name: string, value: string): Buffer =>
  master('1254c367', master('7373', master('67c8', text('45a3', name), text('4487', value))))

const EBML = master('1a45dfa3', text('4282', 'matroska'))
const TRACKS = master(
  '1654ae6b',
  master(
    'ae',
    number('d7', 1),
    number('83', 1),
    text('86', 'V_MPEG4/ISO/AVC'),
    element('63a2', Buffer.from([1, 2, 3])),
  ),
  master('ae', number('d7', 2), number('83', 2), text('86', 'A_AAC')),
)
/** As KVS sends it: segment and cluster of sizes that are not known, tags of its own around. */
const CHUNK = Buffer.concat([
  EBML,
  open('18538067', '01ffffffffffffff'),
  element('ec', Buffer.alloc(9)),
  TRACKS,
  tag('AWS_KINESISVIDEO_FRAGMENT_NUMBER', '9134'),
  open('1f43b675', 'ff'),
  number('e7', 0),
  block('a3', 0x81, 0, 0, 0x80, 9, 9),
  block('a3', 0x82, 0, 10, 0x80, 7),
  block('a3', 0x81, 0, 40, 0x00, 8),
  tag('AWS_KINESISVIDEO_CONTINUATION_TOKEN', '9134'),
])

describe('a Matroska document', () => {
  test('tells its tracks, their blocks and its tags', () => {
    const [document] = readMatroska(CHUNK)
    expect(document?.tracks).toMatchObject([
      {
        number: 1,
        type: 'video',
        codecId: 'V_MPEG4/ISO/AVC',
        codecPrivate: Buffer.from([1, 2, 3]),
        blocks: [
          { atMs: 0, isKey: true, frame: Buffer.from([9, 9]) },
          { atMs: 40, isKey: false },
        ],
      },
      { number: 2, type: 'audio', codecId: 'A_AAC', blocks: [{ atMs: 10, isKey: true }] },
    ])
    expect(document?.tags.get('AWS_KINESISVIDEO_FRAGMENT_NUMBER')).toBe('9134')
  })

  test('may have blocks in groups, which name what they need', () => {
    const grouped = Buffer.concat([
      EBML,
      open('18538067', 'ff'),
      TRACKS,
      open('1f43b675', 'ff'),
      master('a0', block('a1', 0x81, 0, 0, 0, 1)),
      master('a0', block('a1', 0x81, 0, 5, 0, 1), number('fb', 5)),
    ])
    const blocks = readMatroska(grouped)[0]?.tracks[0]?.blocks
    expect(blocks?.map(({ isKey }) => isKey)).toEqual([true, false])
  })

  test('follows another', () => {
    expect(readMatroska(Buffer.concat([CHUNK, CHUNK]))).toHaveLength(2)
  })
})

test('bytes that are cut, damaged or none are read as far as they make sense', () => {
  fc.assert(
    fc.property(fc.nat(CHUNK.length), fc.nat(CHUNK.length - 1), fc.nat(255), (cut, at, value) => {
      const damaged = Buffer.from(CHUNK)
      damaged[at] = value
      expect(readMatroska(damaged.subarray(0, cut)).length).toBeLessThanOrEqual(2)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readMatroska(Buffer.concat([EBML, bytes]))
    }),
  )
})
