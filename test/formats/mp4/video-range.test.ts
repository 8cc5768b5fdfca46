import { expect, test } from 'vitest'
import { readInit } from '../../../src/formats/mp4/init.ts'
import type { TrackDescription } from '../../../src/formats/mp4/track.ts'
import { writeInit } from '../../../src/formats/mp4/write-init.ts'
import { box, readClip } from '../../support/mp4.ts'

const units = (...hex: string[]): Buffer[] => hex.map((unit) => Buffer.from(unit, 'hex'))

/** By x264 and x265, with SMPTE ST 2084, ARIB STD-B67 and BT.709 in turn. */
const AVC = (transfer: '20' | '24' | '02'): TrackDescription => ({
  codec: 'avc',
  sequenceSets: units(`6742c00ada109b016a12${transfer}1280000003008000000a07891350`),
  pictureSets: units('68ce0fc8'),
})
const HEVC = (transfer: '10' | '12' | '01'): TrackDescription => ({
  codec: 'hevc',
  videoSets: units('40010c01ffff02200000030090000003000003001e959409'),
  sequenceSets: units(
    `42010102200000030090000003000003001ea0208104d965654a4e1780b509${transfer}09040000030004000003002820`,
  ),
  pictureSets: units('4401c073c089'),
})

test.each([
  ['H.264', AVC('20'), 'PQ'],
  ['H.264', AVC('24'), 'HLG'],
  ['H.264', AVC('02'), undefined],
  ['H.265', HEVC('10'), 'PQ'],
  ['H.265', HEVC('12'), 'HLG'],
  ['H.265', HEVC('01'), undefined],
] as const)('%s: the parameter sets tell the dynamic range: %#', (_, description, range) => {
  expect(readInit(writeInit(description)).videoRange).toBe(range)
})

test.each([
  ['nclx', 16, 'PQ'],
  ['nclx', 18, 'HLG'],
  ['nclx', 1, undefined],
  ['nclc', 16, 'PQ'],
  ['prof', 16, undefined],
] as const)('a colr box of kind %s and transfer %i', (kind, transfer, range) => {
  const colr = box(
    'colr',
    Buffer.from(`${kind}\0\x09\0${String.fromCharCode(transfer)}\0\x09\x80`, 'latin1'),
  )
  expect(readInit(withBox(readClip('avc').init, 'avc1', colr)).videoRange).toBe(range)
})

test('a colr box has the last word, one that says nothing leaves it to the parameter sets', () => {
  const bt709 = box('colr', Buffer.from('nclx\0\x01\0\x01\0\x01\0', 'latin1'))
  const profile = box('colr', Buffer.from('prof', 'latin1'))
  const init = writeInit(HEVC('12'))
  expect(readInit(withBox(init, 'hvc1', bt709)).videoRange).toBeUndefined()
  expect(readInit(withBox(init, 'hvc1', profile)).videoRange).toBe('HLG')
  expect(readInit(withBox(init, 'hvc1', box('colr'))).videoRange).toBe('HLG')
})

test('a parameter set that cannot be read does not make media unreadable', () => {
  const init = writeInit(HEVC('10'))
  const set = init.indexOf(Buffer.from('4e1780b509', 'hex'))
  expect(readInit(Buffer.from(init).fill(0, set, set + 5)).videoRange).toBeUndefined()
})

/** An init segment with one box more at the end of its sample entry. */
function withBox(init: Buffer, entry: string, added: Buffer): Buffer {
  const sizeAt = (type: string): number => init.indexOf(type, 0, 'latin1') - 4
  const end = sizeAt(entry) + init.readUInt32BE(sizeAt(entry))
  const longer = Buffer.concat([init.subarray(0, end), added, init.subarray(end)])
  for (const type of ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd', entry]) {
    const at = sizeAt(type)
    longer.writeUInt32BE(init.readUInt32BE(at) + added.length, at)
  }
  return longer
}
