import { endOf, payloadStart, readBoxes } from '../boxes.ts'
import { malformed } from '../mp4-error.ts'
import { join } from '../write-box.ts'

/** What stands before the boxes in a visual sample entry, its own header apart. ISO/IEC 14496-12, 12.1.3. */
const VISUAL_FIELDS = 78
/** Where an HEVC configuration says how long a length is, and how many lists follow. ISO/IEC 14496-15, 8.3.3. */
const HEVC_LENGTH_SIZE_AT = 21
/** The same for H.264, which has two lists and counts them in 5 and 8 bits. ISO/IEC 14496-15, 5.3.3. */
const AVC_LENGTH_SIZE_AT = 4

/**
 * The parameter sets of a visual sample entry as they would stand in a sample, each behind its length.
 * Empty for an entry that has none.
 *
 * @throws Mp4Error when the decoder configuration is cut off
 */
export function parameterSetsOf(entry: Buffer): Buffer {
  const boxes = readBoxes(entry, 8 + VISUAL_FIELDS)
  const configuration = boxes.find(({ type }) => type === 'avcC' || type === 'hvcC')
  if (configuration === undefined) return Buffer.alloc(0)
  const body = entry.subarray(payloadStart(configuration), endOf(configuration))
  return configuration.type === 'avcC' ? readAvc(body) : readHevc(body)
}

function readAvc(body: Buffer): Buffer {
  const fields = new Fields(body, AVC_LENGTH_SIZE_AT)
  const lengthSize = (fields.uint(1) & 3) + 1
  const sets = fields.units(fields.uint(1) & 31)
  return inSample([...sets, ...fields.units(fields.uint(1))], lengthSize)
}

function readHevc(body: Buffer): Buffer {
  const fields = new Fields(body, HEVC_LENGTH_SIZE_AT)
  const lengthSize = (fields.uint(1) & 3) + 1
  const sets: Buffer[] = []
  for (let lists = fields.uint(1); lists > 0; lists -= 1) {
    fields.uint(1)
    sets.push(...fields.units(fields.uint(2)))
  }
  return inSample(sets, lengthSize)
}

function inSample(sets: readonly Buffer[], lengthSize: number): Buffer {
  return join(
    sets.flatMap((set) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(set.length)
      return [length.subarray(4 - lengthSize), set]
    }),
  )
}

class Fields {
  readonly #body: Buffer
  #at: number

  constructor(body: Buffer, at: number) {
    this.#body = body
    this.#at = at
  }

  uint(bytes: 1 | 2): number {
    return this.#take(bytes).readUIntBE(0, bytes)
  }

  /** NAL units, each behind a length of 16 bits. */
  units(count: number): Buffer[] {
    return Array.from({ length: count }, () => this.#take(this.uint(2)))
  }

  #take(bytes: number): Buffer {
    const end = this.#at + bytes
    if (end > this.#body.length) throw malformed('a decoder configuration is cut off')
    const taken = this.#body.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
