import { endOf, readBoxes, readChildren, theOnly } from '../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../src/formats/mp4/init.ts'
import { readSamples } from '../../src/formats/mp4/samples.ts'
import { box, type ClipName, readClip } from './mp4.ts'

/** A sample to be packed anew. */
export interface LooseSample {
  /** Decode time in ticks. */
  readonly startTicks: bigint
  readonly durationTicks: number
  readonly compositionTicks: number
  readonly isSync: boolean
  readonly data: Buffer
}

/** How a fragment is packed that is not as ffmpeg would do it. */
export interface Packing {
  /** Boxes before the first moof, in each moof, in each traf, before each mdat, behind all. */
  readonly before?: readonly Buffer[]
  readonly inMoof?: readonly Buffer[]
  readonly inTraf?: readonly Buffer[]
  readonly between?: readonly Buffer[]
  readonly after?: readonly Buffer[]
  /** Samples of a moof; default: all. */
  readonly perMoof?: number
  /** Samples of a traf box, where a track has several in its moof; default: all. */
  readonly perTraf?: number
  /** Where the mdat boxes stand; default: each behind its moof. */
  readonly order?: 'pairs' | 'moofs first' | 'mdats first'
  /** The first run does not say where its data are. */
  readonly withoutOffset?: boolean
  /** Nothing says when it begins. */
  readonly withoutTime?: boolean
  /** The size of the last box is left open. */
  readonly isOpen?: boolean
  /** What the last sample of each moof is said to last, in ticks; default: the truth. */
  readonly guess?: number
}

/** The samples of a clip's fragment on another timescale, from another time on. */
export function looseSamples(
  name: ClipName,
  fragment: number,
  {
    timescale,
    shiftTicks = 0n,
  }: { readonly timescale?: number; readonly shiftTicks?: bigint } = {},
): readonly LooseSample[] {
  const { init: initBytes, fragments } = readClip(name)
  const init = readInit(initBytes)
  const bytes = fragments[fragment] ?? Buffer.alloc(0)
  const { samples, pieces } = readSamples(bytes, init)
  const media = Buffer.concat(pieces.map(({ start, end }) => bytes.subarray(start, end)))
  const to = BigInt(timescale ?? init.timescale)
  const ticks = (own: number): bigint => (BigInt(own) * to) / BigInt(init.timescale)
  let at = 0
  return samples.map((sample) => {
    const { startTicks, durationTicks, compositionTicks, isSync } = sample
    const data = media.subarray(at, at + sample.bytes)
    at += sample.bytes
    const start = ticks(startTicks)
    return {
      startTicks: start + shiftTicks,
      durationTicks: Number(ticks(startTicks + durationTicks) - start),
      compositionTicks: Number(ticks(compositionTicks)),
      isSync,
      data,
    }
  })
}

/** A fragment of track 1, with every field written out. */
export function pack(samples: readonly LooseSample[], packing: Packing = {}): Buffer {
  const {
    before = [],
    after = [],
    between = [],
    perMoof = samples.length,
    order = 'pairs',
  } = packing
  const groups: LooseSample[][] = []
  for (let i = 0; i < samples.length; i += perMoof) groups.push(samples.slice(i, i + perMoof))
  const mdats = groups.map((group) => box('mdat', Buffer.concat(group.map(({ data }) => data))))
  const moofs = (offsets: readonly number[]): Buffer[] =>
    groups.map((group, i) => moofOf(group, i, offsets[i] ?? 0, packing))
  const laid = (offsets: readonly number[]): { moof: boolean; i: number; bytes: Buffer }[] => {
    const all = moofs(offsets)
    const moofAt = (i: number) => ({ moof: true, i, bytes: all[i] ?? Buffer.alloc(0) })
    const mdatAt = (i: number) => {
      const bytes = Buffer.concat([...between, mdats[i] ?? Buffer.alloc(0)])
      return { moof: false, i, bytes }
    }
    const places = groups.map((_, i) => i)
    if (order === 'moofs first') return [...places.map(moofAt), ...places.map(mdatAt)]
    if (order === 'mdats first') return [...places.map(mdatAt), ...places.map(moofAt)]
    return places.flatMap((i) => [moofAt(i), mdatAt(i)])
  }
  const first = laid([])
  const offsets = groups.map((_, i) => {
    const startOf = (moof: boolean): number => {
      const index = first.findIndex((one) => one.moof === moof && one.i === i)
      return first.slice(0, index).reduce((sum, { bytes }) => sum + bytes.length, 0)
    }
    const headers = between.reduce((sum, { length }) => sum + length, 8)
    return startOf(false) + headers - startOf(true)
  })
  const boxes = laid(offsets).map(({ bytes }) => bytes)
  if (packing.isOpen === true) boxes.at(-1)?.writeUInt32BE(0, 0)
  return Buffer.concat([...before, ...boxes, ...after])
}

function moofOf(
  samples: readonly LooseSample[],
  i: number,
  dataOffset: number,
  packing: Packing,
): Buffer {
  const { inMoof = [], perTraf = samples.length } = packing
  const trafs: Buffer[] = []
  let offset = dataOffset
  for (let at = 0; at < samples.length; at += perTraf) {
    const own = samples.slice(at, at + perTraf)
    trafs.push(trafOf(own, offset, packing))
    offset += own.reduce((sum, { data }) => sum + data.length, 0)
  }
  return box('moof', Buffer.concat([box('mfhd', words(0, i + 1)), ...inMoof, ...trafs]))
}

function trafOf(
  samples: readonly LooseSample[],
  dataOffset: number,
  { inTraf = [], withoutOffset = false, withoutTime = false, guess }: Packing,
): Buffer {
  const tfdt = Buffer.alloc(12)
  tfdt.writeUInt8(1, 0)
  tfdt.writeBigInt64BE(samples[0]?.startTicks ?? 0n, 4)
  const rows = samples.map(({ durationTicks, isSync, compositionTicks, data }, at) => {
    const isLast = at === samples.length - 1
    const duration = isLast ? (guess ?? durationTicks) : durationTicks
    return words(duration, data.length, isSync ? 0x2000000 : 0x1010000, compositionTicks >>> 0)
  })
  const offset = withoutOffset ? [] : [words(dataOffset >>> 0)]
  const flags = 0x1000f00 + (withoutOffset ? 0 : 1)
  return box(
    'traf',
    Buffer.concat([
      box('tfhd', words(0x20000, 1)),
      ...inTraf,
      ...(withoutTime ? [] : [box('tfdt', tfdt)]),
      box('trun', Buffer.concat([words(flags, samples.length), ...offset, ...rows])),
    ]),
  )
}

/** A traf box of a track. @param samples how many samples without a byte it has */
function emptyTraf(trackId: number, samples: number): Buffer {
  const tfhd = box('tfhd', words(0x20010, trackId, 0))
  return box(
    'traf',
    Buffer.concat([tfhd, ...(samples > 0 ? [box('trun', words(0, samples))] : [])]),
  )
}

/** A clip's init segment with another timescale in its mdhd. */
export function withTimescale(init: Buffer, timescale: number): Buffer {
  const changed = Buffer.from(init)
  changed.writeUInt32BE(timescale, changed.indexOf('mdhd') + 16)
  return changed
}

/** A clip's init segment with a box more in its moov. */
export function withInMoov(init: Buffer, more: Buffer): Buffer {
  const moov = theOnly(readBoxes(init), 'moov', 'an init segment')
  const children = readChildren(init, moov).map((one) => init.subarray(one.start, endOf(one)))
  return Buffer.concat([
    init.subarray(0, moov.start),
    box('moov', Buffer.concat([...children, more])),
  ])
}

export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

/** Boxes that may stand anywhere. */
export const uuid = box('uuid', Buffer.alloc(28, 7))
export const free = box('free', Buffer.alloc(40))
export const others = [
  box('styp', Buffer.from('msdh\0\0\0\0msdh')),
  box('sidx', words(0, 1, 90_000, 0, 0, 0)),
]
export const emsg = box(
  'emsg',
  Buffer.concat([Buffer.alloc(4), Buffer.from('urn:x\0\0'), words(1, 0, 0, 1)]),
)
const prft = box('prft', words(0x1000000, 1, 0, 0, 0, 0))

export const SEVERAL_MOOFS: Packing = { perMoof: 4 }

/** Ways to pack what is the same fragment to a player. */
export const PACKINGS: readonly (readonly [string, Packing])[] = [
  ['as anybody would', {}],
  ['boxes before the first moof', { before: [...others, prft, emsg, uuid, free] }],
  ['boxes in moof and traf', { inMoof: [uuid, free], inTraf: [free, uuid] }],
  ['boxes between moof and mdat', { between: [free, uuid, emsg] }],
  [
    'boxes behind the last mdat',
    { after: [emsg, free, uuid, box('mfra', box('mfro', words(0, 16)))] },
  ],
  ['boxes of types to come', { before: [box('what')], after: [box('else', Buffer.alloc(3))] }],
  ['an init segment again', { before: [readClip('avc-bframes').init] }],
  [
    'tables of encryption, of media that are not encrypted',
    { inTraf: [box('saiz', words(0, 0, 0)), box('saio', words(0, 0)), box('senc', words(0, 0))] },
  ],
  ['a line break behind the last box', { after: [Buffer.from('\r\n\r\n')] }],
  ['zeros behind the last box', { after: [Buffer.alloc(12)] }],
  ['a last box whose size is open', { isOpen: true }],
  ['several moof boxes', SEVERAL_MOOFS],
  ['several moof boxes with others between', { perMoof: 4, between: [uuid], inTraf: [free] }],
  ['a traf box for each three pictures', { perTraf: 3 }],
  ['traf boxes without samples', { perMoof: 4, inMoof: [emptyTraf(1, 0), emptyTraf(9, 0)] }],
  ['a track more than the init segment has', { inMoof: [emptyTraf(9, 2)] }],
  ['all moof boxes first', { perMoof: 4, order: 'moofs first' }],
  ['all mdat boxes first', { perMoof: 4, order: 'mdats first' }],
  ['runs that do not say where their data are', { withoutOffset: true, between: [free] }],
  ['last samples whose duration was guessed', { perMoof: 3, guess: 60 }],
]
