import { describe, expect, test } from 'vitest'
import { endOf, payloadStart, readBoxes, sliceBox } from '../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { ownMedia } from '../../../src/formats/mp4/own-form.ts'
import { ownInit } from '../../../src/formats/mp4/own-init.ts'
import { readSamples } from '../../../src/formats/mp4/samples.ts'
import { box, readClip } from '../../support/mp4.ts'
import { looseSamples, pack, withInMoov, words } from '../../support/odd-packer.ts'

const CONTAINERS = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf']

/** Puts another box, or none, in the place of each of a type. */
function edited(bytes: Buffer, type: string, edit: (payload: Buffer) => Buffer): Buffer {
  const boxes = readBoxes(bytes).map((one) => {
    const payload = Buffer.from(bytes.subarray(payloadStart(one), endOf(one)))
    if (one.type === type) return edit(payload)
    if (!CONTAINERS.includes(one.type)) return sliceBox(bytes, one)
    return box(one.type, edited(payload, type, edit))
  })
  return Buffer.concat(boxes)
}

const avc = readClip('avc-bframes').init
const aac = readClip('aac').init
/** The fields and the boxes of a sample entry. */
const inEntry = (stsd: Buffer, fields: number): readonly [Buffer, Buffer] => [
  stsd.subarray(16, 16 + fields),
  stsd.subarray(16 + fields),
]
const dated = (type: string) => (init: Buffer) =>
  edited(init, type, (payload) => {
    payload.fill(0x5a, 4, 12)
    return box(type, payload)
  })
const sound =
  (entry: (fields: Buffer, boxes: Buffer) => Buffer) =>
  (init: Buffer): Buffer =>
    edited(init, 'stsd', (stsd) =>
      box('stsd', Buffer.concat([stsd.subarray(0, 8), entry(...inEntry(stsd, 28))])),
    )
/** The box of a decoder's configuration, with another type of object. */
const configured = (type: number) => (boxes: Buffer) => {
  const esds = Buffer.from(boxes)
  // Behind its tag and a length of four bytes.
  const at = esds.indexOf(Buffer.from([4, 0x80, 0x80, 0x80]))
  expect(esds.readUInt8(at + 5)).toBe(0x40)
  esds.writeUInt8(type, at + 5)
  return esds
}
const versioned = (fields: Buffer, version: number): Buffer => {
  const copy = Buffer.from(fields)
  copy.writeUInt16BE(version, 8)
  return copy
}
const end = Buffer.alloc(4)

describe('an init segment becomes the same as the control’s, though it has', () => {
  test.each<[string, Buffer, (init: Buffer) => Buffer]>([
    ['nothing odd (control)', avc, (init) => init],
    ...['mvhd', 'tkhd', 'mdhd'].map((type): [string, Buffer, (init: Buffer) => Buffer] => [
      `dates in ${type}`,
      avc,
      dated(type),
    ]),
    ['a zero behind the boxes of its moov', avc, (init) => withInMoov(init, end)],
    [
      'a zero behind the boxes of its sample entry',
      avc,
      (init) =>
        edited(init, 'stsd', (stsd) => {
          const entry = box('avc1', Buffer.concat([stsd.subarray(16), end]))
          return box('stsd', Buffer.concat([stsd.subarray(0, 8), entry]))
        }),
    ],
    [
      'samples in its tables',
      avc,
      (init) =>
        edited(
          edited(init, 'stts', () => box('stts', words(0, 1, 25, 512))),
          'stsz',
          () => box('stsz', words(0, 0, 2, 100, 100)),
        ),
    ],
    [
      'a second description',
      avc,
      (init) =>
        edited(init, 'stsd', (stsd) =>
          box('stsd', Buffer.concat([words(0, 2), stsd.subarray(8), stsd.subarray(8)])),
        ),
    ],
    ...[0x66, 0x67, 0x68].map((type): [string, Buffer, (init: Buffer) => Buffer] => [
      `AAC of MPEG-2, ${type.toString(16)}`,
      aac,
      sound((fields, boxes) => box('mp4a', Buffer.concat([fields, configured(type)(boxes)]))),
    ]),
  ])('%s', (_, init, odd) => {
    expect(ownInit(odd(init))).toEqual(ownInit(init))
  })
})

describe('sound as QuickTime describes it has the same configuration', () => {
  const wave = (boxes: Buffer): Buffer =>
    box('wave', Buffer.concat([box('frma', Buffer.from('mp4a')), boxes, box('\0\0\0\0')]))
  const entries: readonly [string, (fields: Buffer, boxes: Buffer) => Buffer][] = [
    ['in wave', (fields, boxes) => Buffer.concat([fields, wave(boxes)])],
    [
      'version 1, in wave',
      (fields, boxes) => Buffer.concat([versioned(fields, 1), words(1024, 2, 2, 2), wave(boxes)]),
    ],
    [
      'version 1',
      (fields, boxes) => Buffer.concat([versioned(fields, 1), words(1024, 2, 2, 2), boxes]),
    ],
    [
      'version 2',
      (fields, boxes) => Buffer.concat([versioned(fields, 2), Buffer.alloc(36), wave(boxes), end]),
    ],
  ]
  test.each(entries)('%s', (_, entry) => {
    const own = ownInit(sound((fields, boxes) => box('mp4a', entry(fields, boxes)))(aac))
    const { id: _own, ...facts } = readInit(own)
    const { id: _control, audio, ...expected } = readInit(aac)
    expect(facts).toMatchObject(expected)
    expect(facts.audio?.channels).toBe(audio?.channels)
    expect(own.includes('wave')).toBe(false)
  })
})

describe('a fragment', () => {
  const init = readInit(avc)
  const control = pack(looseSamples('avc-bframes', 0))
  const samplesOf = (bytes: Buffer): unknown => {
    const own = ownMedia(bytes, init)
    const { samples, pieces } = readSamples(own, init)
    return [samples, pieces.map(({ start, end: to }) => own.subarray(start, to).toString('base64'))]
  }
  /** With fields more in its tfhd. */
  const headed = (flag: number, ...fields: number[]): Buffer =>
    edited(control, 'tfhd', (tfhd) =>
      box('tfhd', Buffer.concat([words(flag), tfhd.subarray(4, 8), words(...fields)])),
    )
  const at = (bytes: Buffer, offset: number): Buffer =>
    edited(bytes, 'trun', (trun) => {
      trun.writeInt32BE(offset, 8)
      return box('trun', trun)
    })

  test.each([0, 8])('whose offsets count from its mdat in a file, %i', (offset) => {
    expect(samplesOf(at(headed(1, 0, 99_999), offset))).toEqual(samplesOf(control))
  })

  test('that needs a description that the init segment does not have is refused', () => {
    const longer = headed(0x20002, 2)
    const offset = longer.length - control.length
    const trunAt = control.indexOf('trun')
    const odd = at(longer, control.readInt32BE(trunAt + 12) + offset)
    expect(() => samplesOf(odd)).toThrow('samples of sample description 2')
  })
})
