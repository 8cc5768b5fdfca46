import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'

const SUFFIX = '.timeline.json'

/** Far more than any timeline needs. A larger file is not ours. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * One JSON file per stream, written beside its place and renamed into it: a process that is killed
 * leaves the one before or the one after, never half of one. What the JSON says is the caller's affair.
 */
export class SavedTimelines {
  readonly #dir: string
  readonly #log: Log
  #failing = false

  constructor(dir: string, log: Log) {
    this.#dir = dir
    this.#log = log
  }

  /** What was saved last under this name, unchecked; undefined if nothing was or it cannot be read. */
  async load(stream: string): Promise<unknown> {
    try {
      const text = await readFile(this.#path(stream))
      if (text.length > MAX_BYTES) throw new Error(`${text.length} bytes are no saved timeline`)
      return JSON.parse(text.toString()) as unknown
    } catch (error) {
      if (!isMissing(error)) this.#log.error('saved timeline cannot be read', { stream, error })
      return undefined
    }
  }

  /** Under which names of these something was saved, the newest first. */
  async names(wanted: (stream: string) => boolean): Promise<readonly string[]> {
    const files = await readdir(this.#dir).catch(() => [])
    const names = files
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
    const dated = await Promise.all(
      names.filter(wanted).map(async (name) => {
        const found = await stat(this.#path(name)).catch(() => undefined)
        return { name, savedMs: found?.mtimeMs ?? 0 }
      }),
    )
    return dated.toSorted((a, b) => b.savedMs - a.savedMs).map(({ name }) => name)
  }

  /** Resolves once it would be found after a crash, or the disk has refused it: streams go on then. */
  async save(stream: string, timeline: unknown): Promise<void> {
    const draft = `${this.#path(stream)}.${randomUUID()}.draft`
    try {
      await mkdir(this.#dir, { recursive: true })
      await writeFile(draft, JSON.stringify(timeline), { flag: 'wx' })
      await rename(draft, this.#path(stream))
      if (this.#failing) this.#log.info('timelines can be saved again')
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#log.error('timeline cannot be saved', { stream, error })
      this.#failing = true
      await rm(draft, { force: true }).catch(() => {})
    }
  }

  /** Stream names are one path segment of tame characters; the suffix keeps `.` and `..` harmless. */
  #path(stream: string): string {
    return join(this.#dir, stream + SUFFIX)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
