import {
  type Box,
  describe,
  endOf,
  payloadStart,
  readBoxes,
  readChildren,
  readFile,
} from './boxes/box.ts'
import { isVideoEntry, readSampleEntry } from './boxes/sample-entry.ts'
import { MAX_SAMPLES } from './moof.ts'
import { malformed } from './mp4-error.ts'

/** The boxes that mp4box needs of a whole file; all others it would obey, whatever they count. */
const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['ftyp', 'moov', 'moof', 'mdat']],
  ['moov', ['mvhd', 'trak', 'mvex']],
  ['trak', ['tkhd', 'mdia']],
  ['mdia', ['mdhd', 'hdlr', 'minf']],
  ['minf', ['vmhd', 'smhd', 'stbl']],
  ['stbl', ['stsd', 'stts', 'ctts', 'stss', 'stsc', 'stsz', 'stco', 'co64']],
  ['mvex', ['mehd', 'trex']],
  ['moof', ['mfhd', 'traf']],
  ['traf', ['tfhd', 'tfdt', 'trun']],
])
const CONFIGURATIONS = ['avcC', 'hvcC', 'esds']

/** The tables of samples: where the count stands in the payload, and how long a row is. ISO/IEC 14496-12, 8.6 and 8.7. */
const TABLES: ReadonlyMap<string, { readonly countAt: number; readonly rowBytes: number }> =
  new Map([
    ['stts', { countAt: 4, rowBytes: 8 }],
    ['ctts', { countAt: 4, rowBytes: 8 }],
    ['stss', { countAt: 4, rowBytes: 4 }],
    ['stsc', { countAt: 4, rowBytes: 12 }],
    ['stco', { countAt: 4, rowBytes: 4 }],
    ['co64', { countAt: 4, rowBytes: 8 }],
  ])
/** The tables whose rows begin with how many samples they are about. */
const RUNS = ['stts', 'ctts']

/**
 * Returns a file in which mp4box finds nothing that it could be kept busy with: boxes that nobody asks for are blank, at
 * the same places, and what is left counts no more than its bytes and {@link MAX_SAMPLES} allow.
 * @throws Mp4Error when a box is cut off, or counts too much
 */
export function boundedMovie(bytes: Buffer): Buffer {
  const movie = Buffer.from(bytes)
  let samples = 0
  for (const box of readFile(movie)) {
    samples += bound(movie, '', box)
    checkSamples(samples, box)
  }
  return movie
}

/** Returns how many samples of fragments it has. */
function bound(bytes: Buffer, parent: string, box: Box): number {
  if (KEPT.get(parent)?.includes(box.type) === false) blank(bytes, box)
  else if (box.type === 'stsd') boundEntries(bytes, box)
  else if (KEPT.has(box.type)) {
    return readChildren(bytes, box).reduce((sum, child) => sum + bound(bytes, box.type, child), 0)
  } else return checkCounts(bytes, box)
  return 0
}

function blank(bytes: Buffer, { start }: Box): void {
  bytes.write('free', start + 4, 'latin1')
}

function boundEntries(bytes: Buffer, stsd: Box): void {
  for (const entry of readBoxes(bytes, payloadStart(stsd) + 8, endOf(stsd))) {
    if (!isVideoEntry(entry) && entry.type !== 'mp4a') continue
    for (const box of readSampleEntry(bytes, entry).boxes) {
      if (!CONFIGURATIONS.includes(box.type)) blank(bytes, box)
    }
  }
}

/** Returns how many samples of a fragment it has. */
function checkCounts(bytes: Buffer, box: Box): number {
  const at = payloadStart(box)
  const table = TABLES.get(box.type)
  if (table !== undefined) checkTable(bytes, box, table)
  // Samples of one size need no row, nor do those of a run whose fields have defaults.
  if (box.type === 'stsz') checkSamples(countAt(bytes, box, at + 8), box)
  if (box.type !== 'trun') return 0
  const samples = countAt(bytes, box, at + 4)
  checkSamples(samples, box)
  return samples
}

function checkTable(
  bytes: Buffer,
  box: Box,
  { countAt: offset, rowBytes }: { readonly countAt: number; readonly rowBytes: number },
): void {
  const at = payloadStart(box) + offset
  const rows = countAt(bytes, box, at)
  if (at + 4 + rows * rowBytes > endOf(box)) throw malformed(`${describe(box)} is cut off`)
  if (!RUNS.includes(box.type)) return
  let samples = 0
  for (let i = 0; i < rows; i += 1) samples += bytes.readUInt32BE(at + 4 + i * rowBytes)
  checkSamples(samples, box)
}

function countAt(bytes: Buffer, box: Box, at: number): number {
  if (at + 4 > endOf(box)) throw malformed(`${describe(box)} is cut off`)
  return bytes.readUInt32BE(at)
}

function checkSamples(samples: number, box: Box): void {
  if (samples > MAX_SAMPLES) throw malformed(`${samples} samples in the ${describe(box)}`)
}
