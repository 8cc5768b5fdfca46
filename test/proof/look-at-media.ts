import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DecoderOptions, type PacketStream, runDecoder } from './decoder-run.ts'

/** What ffmpeg finds in a file. */
export interface MediaLook {
  /** All that it had to say while it decoded; nothing is best. */
  readonly warnings: readonly string[]
  readonly streams: readonly PacketStream[]
}

interface Asked {
  readonly media: Buffer
  readonly answer: (look: MediaLook) => void
  readonly fail: (error: unknown) => void
}

/** So many files are given to one ffmpeg. */
const FILES_AT_ONCE = 24

/**
 * Decodes files and lists their packets. To start an ffmpeg costs more than what these files are to decode: so what is asked
 * while one runs is given to the next one together, and what is asked twice is looked at once.
 */
class Looker {
  readonly #options: DecoderOptions
  readonly #looks = new WeakMap<Buffer, Promise<MediaLook>>()
  #asked: Asked[] = []
  #isLooking = false

  constructor(options: DecoderOptions) {
    this.#options = options
  }

  look(media: Buffer): Promise<MediaLook> {
    const known = this.#looks.get(media)
    if (known !== undefined) return known
    const look = new Promise<MediaLook>((answer, fail) => this.#asked.push({ media, answer, fail }))
    this.#looks.set(media, look)
    void this.#lookAtAll()
    return look
  }

  async #lookAtAll(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    while (this.#asked.length > 0) {
      const batch = this.#asked.splice(0, FILES_AT_ONCE)
      await this.#lookAt(batch).catch((error: unknown) => {
        for (const { fail } of batch) fail(error)
      })
    }
    this.#isLooking = false
  }

  async #lookAt(batch: readonly Asked[]): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'kvs-look-'))
    try {
      const files = batch.map((_, i) => join(folder, String(i)))
      await Promise.all(batch.map(({ media }, i) => writeFile(files[i] ?? '', media)))
      const { warnings, inputs } = await runDecoder(files, this.#options)
      for (const [i, { answer }] of batch.entries()) {
        // Nothing tells whose a warning is: then each is looked at alone.
        const isTold = warnings.length === 0 || batch.length === 1
        answer(isTold ? { warnings, streams: inputs[i] ?? [] } : await this.#alone(files[i] ?? ''))
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  async #alone(file: string): Promise<MediaLook> {
    const { warnings, inputs } = await runDecoder([file], this.#options)
    return { warnings, streams: inputs[0] ?? [] }
  }
}

const looker = new Looker({})
const pixelLooker = new Looker({ pixels: true })

/** Decodes a file and lists its packets. */
export function lookAt(media: Buffer): Promise<MediaLook> {
  return looker.look(media)
}

/** The same, and tells each decoded frame's checksum. */
export function lookAtPixels(media: Buffer): Promise<MediaLook> {
  return pixelLooker.look(media)
}
