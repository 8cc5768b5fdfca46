/** One fragment as KVS hands it out: a small Matroska document. RFC 9559; KVS.md, section 6.5. */
export interface MatroskaDocument {
  readonly tracks: readonly MatroskaTrack[]
  readonly tags: ReadonlyMap<string, string>
}

export interface MatroskaTrack {
  readonly number: number
  readonly type: 'video' | 'audio' | 'other'
  readonly codecId: string
  readonly codecPrivate: Buffer
  readonly blocks: readonly MatroskaBlock[]
}

export interface MatroskaBlock {
  /** When it is shown, since its cluster began. */
  readonly atMs: number
  readonly isKey: boolean
  readonly frame: Buffer
}

/** Elements by their ids, length marker included. */
const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  cluster: 0x1f43b675,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
  tags: 0x1254c367,
  tag: 0x7373,
  simpleTag: 0x67c8,
  tagName: 0x45a3,
  tagString: 0x4487,
} as const

/** What is read on into; sizes of these may be unknown, so it is their children that are followed. */
const MASTERS: ReadonlySet<number> = new Set([
  ID.segment,
  ID.info,
  ID.tracks,
  ID.trackEntry,
  ID.cluster,
  ID.blockGroup,
  ID.tags,
  ID.tag,
  ID.simpleTag,
])

const NANOS_PER_MS = 1e6
const KEY_FLAG = 0x80
const TYPES: Readonly<Record<number, MatroskaTrack['type']>> = { 1: 'video', 2: 'audio' }

/** Bounds what one document may hold, so that a crafted one costs nothing. */
const MOST = { documents: 16, tracks: 8, blocks: 4000, tags: 100 }

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type OpenTrack = Mutable<Omit<MatroskaTrack, 'blocks'>> & {
  readonly blocks: Mutable<MatroskaBlock>[]
}

/** Reads the documents that stand one after another, up to where the bytes end or make no sense. */
export function readMatroska(bytes: Buffer): readonly MatroskaDocument[] {
  const documents: DocumentReader[] = []
  for (let at = 0; at < bytes.length; ) {
    const element = readHeader(bytes, at)
    if (element === undefined) break
    const { id, start, size } = element
    if (id === ID.ebml) {
      if (documents.length === MOST.documents) break
      documents.push(new DocumentReader())
    }
    const isMaster = MASTERS.has(id)
    // An element whose end is not known, and whose children nobody knows.
    if (!isMaster && size === undefined) break
    const end = isMaster ? start : start + (size ?? 0)
    documents.at(-1)?.take(id, bytes.subarray(start, end))
    at = end
  }
  return documents.map((document) => document.result())
}

class DocumentReader {
  readonly #tracks: OpenTrack[] = []
  readonly #tags = new Map<string, string>()
  #scale = 1e6
  #tagName: string | undefined
  #last: Mutable<MatroskaBlock> | undefined

  /** @param payload empty for an element whose children follow */
  take(id: number, payload: Buffer): void {
    const track = this.#tracks.at(-1)
    if (id === ID.timestampScale) this.#scale = unsigned(payload)
    else if (id === ID.trackEntry) this.#openTrack()
    else if (id === ID.simpleBlock || id === ID.block) this.#block(id, payload)
    // It needs another picture.
    else if (id === ID.referenceBlock && this.#last !== undefined) this.#last.isKey = false
    else if (id === ID.tagName) this.#tagName = text(payload)
    else if (id === ID.tagString) this.#tag(text(payload))
    else if (track === undefined) return
    else if (id === ID.trackNumber) track.number = unsigned(payload)
    else if (id === ID.trackType) track.type = TYPES[unsigned(payload)] ?? 'other'
    else if (id === ID.codecId) track.codecId = text(payload)
    else if (id === ID.codecPrivate) track.codecPrivate = payload
  }

  result(): MatroskaDocument {
    return { tracks: this.#tracks, tags: this.#tags }
  }

  #openTrack(): void {
    if (this.#tracks.length === MOST.tracks) return
    this.#tracks.push({
      number: 0,
      type: 'other',
      codecId: '',
      codecPrivate: Buffer.alloc(0),
      blocks: [],
    })
  }

  #block(id: number, payload: Buffer): void {
    const number = readVint(payload, 0)
    const head = number === undefined ? undefined : payload.subarray(number.bytes)
    const track = this.#tracks.find((one) => one.number === number?.value)
    if (head === undefined || head.length < 3 || track === undefined) return
    if (track.blocks.length === MOST.blocks) return
    const block = {
      atMs: (head.readInt16BE(0) * this.#scale) / NANOS_PER_MS,
      isKey: id === ID.block || ((head[2] ?? 0) & KEY_FLAG) !== 0,
      frame: head.subarray(3),
    }
    track.blocks.push(block)
    this.#last = block
  }

  #tag(value: string): void {
    const name = this.#tagName
    this.#tagName = undefined
    if (name !== undefined && this.#tags.size < MOST.tags) this.#tags.set(name, value)
  }
}

interface Header {
  readonly id: number
  /** Where its payload begins. */
  readonly start: number
  /** Undefined where it is not known. */
  readonly size: number | undefined
}

function readHeader(bytes: Buffer, at: number): Header | undefined {
  const idBytes = vintBytes(bytes[at])
  if (idBytes === undefined || idBytes > 4 || at + idBytes > bytes.length) return undefined
  const size = readVint(bytes, at + idBytes)
  if (size === undefined) return undefined
  return {
    id: bytes.readUIntBE(at, idBytes),
    start: at + idBytes + size.bytes,
    size: size.value,
  }
}

/** Reads a number of variable length; its value is undefined where all of its bits are set: "unknown". */
function readVint(
  bytes: Buffer,
  at: number,
): { readonly bytes: number; readonly value: number | undefined } | undefined {
  const length = vintBytes(bytes[at])
  if (length === undefined || at + length > bytes.length) return undefined
  let value = BigInt(bytes[at] ?? 0) & ((1n << BigInt(8 - length)) - 1n)
  for (let i = 1; i < length; i += 1) value = (value << 8n) | BigInt(bytes[at + i] ?? 0)
  const isUnknown = value === (1n << BigInt(7 * length)) - 1n
  const isHuge = value > BigInt(Number.MAX_SAFE_INTEGER)
  return { bytes: length, value: isUnknown || isHuge ? undefined : Number(value) }
}

/** Returns how many bytes a number has, as the zeros before its first bit tell. */
function vintBytes(first: number | undefined): number | undefined {
  if (first === undefined || first === 0) return undefined
  return Math.clz32(first) - 23
}

function unsigned(payload: Buffer): number {
  return payload.length === 0 || payload.length > 6 ? 0 : payload.readUIntBE(0, payload.length)
}

function text(payload: Buffer): string {
  return payload.subarray(0, 512).toString('utf8').replace(/\0.*$/s, '')
}
