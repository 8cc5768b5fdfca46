import { malformed, unsupported } from '../mp4/mp4-error.ts'
import type { AacDescription } from '../mp4/track.ts'

/** An AAC frame with its header taken off. */
export interface AdtsFrame {
  /** Where its header begins. */
  readonly at: number
  readonly data: Buffer
}

export interface AdtsStream {
  readonly description: AacDescription
  readonly frames: readonly AdtsFrame[]
}

/** Frames among bytes that need not all be frames. */
export interface AdtsRun {
  /** The description of most of the frames that are there, and so of all that are taken; undefined without any. */
  readonly description: AacDescription | undefined
  readonly frames: readonly AdtsFrame[]
  /** Where a last frame begins whose end is not there; the bytes' length where there is none. */
  readonly end: number
  /** What was passed over because it is no frame that could be used, each once. */
  readonly faults: readonly string[]
}

const HEADER_BYTES = 7
const CRC_BYTES = 2
const SAMPLE_RATES = 13

/** Says whether a frame's header may begin the bytes: twelve bits of syncword, a layer of 0. */
export function isAdts(bytes: Buffer, at = 0): boolean {
  return bytes.length >= at + HEADER_BYTES && (bytes.readUInt16BE(at) & 0xfff6) === 0xfff0
}

/**
 * Reads frames that fill the bytes exactly, all of one configuration. ISO/IEC 14496-3, 1.A.2.
 * @throws Mp4Error
 */
export function readAdts(bytes: Buffer): AdtsStream {
  const { description, frames, end, faults } = scanAdts(bytes)
  const [fault] = faults
  if (fault !== undefined) throw unsupported(fault)
  if (end < bytes.length) throw malformed(`the audio frame at ${end} is cut off`)
  if (description === undefined) throw malformed('audio without a frame')
  return { description, frames }
}

/**
 * Finds the frames in a stretch of an elementary stream, whatever stands between them.
 * @param holes where something is missing, growing: the frame around it is passed over
 */
export function scanAdts(bytes: Buffer, holes: readonly number[] = []): AdtsRun {
  const found: (AdtsFrame & { readonly header: Header })[] = []
  const faults = new Set<string>()
  let at = 0
  let next = 0
  for (;;) {
    at = stuffingEnd(bytes, at)
    if (at >= bytes.length) break
    while ((holes[next] ?? Infinity) <= at) next += 1
    // Not even its header is whole.
    if (bytes.length - at < HEADER_BYTES && bytes[at] === 0xff) break
    const header = readHeader(bytes, at)
    const hole = (holes[next] ?? Infinity) < (header?.end ?? 0) ? holes[next] : undefined
    if (header === undefined || hole !== undefined) {
      faults.add(hole === undefined ? 'bytes that are no audio frame' : 'audio frames with holes')
      at = nextFrame(bytes, hole ?? at + 1)
      continue
    }
    if (header.end > bytes.length) break
    const fault = faultOf(header)
    if (fault === undefined) {
      found.push({ at, data: bytes.subarray(header.dataAt, header.end), header })
    } else {
      faults.add(fault)
    }
    at = header.end
  }
  const description = commonest(found.map(({ header }) => header.description))
  const frames = found.filter(
    ({ header }) => description !== undefined && isSame(header.description, description),
  )
  if (frames.length < found.length)
    faults.add('an audio configuration that changes within a fragment')
  return { description, frames, end: Math.min(at, bytes.length), faults: [...faults] }
}

/** Says whether the bytes begin with a frame, behind which is another one or nothing. */
export function beginsWithFrame(bytes: Buffer): boolean {
  return nextFrame(bytes, 0) === 0
}

/** Returns what most frames have, the first of those that as many have. */
function commonest(all: readonly AacDescription[]): AacDescription | undefined {
  const counts = new Map<string, { readonly description: AacDescription; frames: number }>()
  for (const description of all) {
    const { objectType, frequencyIndex, channels } = description
    const key = `${objectType} ${frequencyIndex} ${channels}`
    const count = counts.get(key) ?? { description, frames: 0 }
    count.frames += 1
    counts.set(key, count)
  }
  return [...counts.values()].toSorted((a, b) => b.frames - a.frames)[0]?.description
}

interface Header {
  readonly description: AacDescription
  readonly blocks: number
  readonly dataAt: number
  readonly end: number
}

function readHeader(bytes: Buffer, at: number): Header | undefined {
  if (!isAdts(bytes, at)) return undefined
  const fields = bytes.readUInt32BE(at + 2)
  const [objectType, frequencyIndex, channels] = [
    (fields >>> 30) + 1,
    (fields >>> 26) & 0xf,
    (fields >>> 22) & 7,
  ]
  const hasCrc = (bytes.readUInt8(at + 1) & 1) === 0
  const dataAt = at + HEADER_BYTES + (hasCrc ? CRC_BYTES : 0)
  const end = at + ((bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff)
  if (end <= dataAt) return undefined
  const description = { codec: 'aac', objectType, frequencyIndex, channels } as const
  return { description, blocks: 1 + (bytes.readUInt8(at + 6) & 3), dataAt, end }
}

/** Says why a frame cannot be used; undefined when it can. */
function faultOf({ description, blocks }: Header): string | undefined {
  const { frequencyIndex, channels } = description
  if (frequencyIndex >= SAMPLE_RATES) return `no sample rate has index ${frequencyIndex}`
  if (channels === 0) return 'audio with channels of its own arrangement'
  return blocks > 1 ? 'several AAC frames after one header' : undefined
}

/**
 * Finds where a header is next that another one follows, or the end, because a syncword alone comes about by chance.
 */
function nextFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const end = readHeader(bytes, at)?.end
    const behind = end === undefined ? undefined : stuffingEnd(bytes, end)
    if (behind !== undefined && (behind >= bytes.length || isAdts(bytes, behind))) return at
  }
  return bytes.length
}

/** Finds the end of the zeros that some put behind frames. */
function stuffingEnd(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0) at += 1
  return at
}

function isSame(a: AacDescription, b: AacDescription): boolean {
  return (
    a.objectType === b.objectType &&
    a.frequencyIndex === b.frequencyIndex &&
    a.channels === b.channels
  )
}
