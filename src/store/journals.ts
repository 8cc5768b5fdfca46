import { appendFile, mkdir, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { streamFolder } from './disk-path.ts'

/** A part of a journal, as large as its caller makes it. */
export interface JournalPage {
  /** Pages are written in order of their numbers, one after the other. */
  readonly number: number
  readonly lines: readonly string[]
}

/** Far more than an hour of any stream needs. A larger file is not ours. */
const MAX_BYTES = 64 * 1024 * 1024

const PAGE = /^(\d{1,15})\.jsonl$/

/**
 * Lines by stream, in files to which one only ever appends: what would be too much to be written anew with
 * each fragment. A process that is killed leaves at most half a line, which counts as never written. What
 * the lines say is the caller's affair.
 */
export class Journals {
  readonly #dir: string
  readonly #log: Log
  #failing = false

  /** @param dir everything below it belongs to the journals */
  constructor(dir: string, log: Log) {
    this.#dir = dir
    this.#log = log
  }

  /** All pages that can be read, in order. Half a line at the end of one is cut off. */
  async load(stream: string): Promise<readonly JournalPage[]> {
    const pages: JournalPage[] = []
    for (const number of await this.#pages(stream)) {
      try {
        pages.push({ number, lines: await this.#read(this.#path(stream, number)) })
      } catch (error) {
        this.#log.error('journal page cannot be read', { stream, page: number, error })
      }
    }
    return pages
  }

  /** Resolves once the lines would be found after a crash, or the disk has refused them. */
  async append(stream: string, page: number, lines: readonly string[]): Promise<void> {
    try {
      await mkdir(join(this.#dir, streamFolder(stream)), { recursive: true })
      await appendFile(this.#path(stream, page), lines.map((line) => `${line}\n`).join(''))
      if (this.#failing) this.#log.info('journals can be written again')
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#log.error('journal cannot be written', { stream, error })
      this.#failing = true
    }
  }

  /** Removes the pages before `page`. */
  async drop(stream: string, page: number): Promise<void> {
    for (const number of await this.#pages(stream)) {
      if (number < page) await this.#remove(this.#path(stream, number))
    }
  }

  /** Removes the journals of all other streams. */
  async keepOnly(streams: Iterable<string>): Promise<void> {
    const wanted = new Set(Array.from(streams, streamFolder))
    for (const folder of await list(this.#dir)) {
      if (!wanted.has(folder)) await this.#remove(join(this.#dir, folder))
    }
  }

  async #read(path: string): Promise<readonly string[]> {
    const { size } = await stat(path)
    if (size > MAX_BYTES) throw new Error(`${size} bytes are no journal page`)
    const bytes = await readFile(path)
    const end = bytes.lastIndexOf('\n') + 1
    if (end < bytes.length) await truncate(path, end)
    return bytes
      .toString('utf8', 0, end)
      .split('\n')
      .filter((line) => line !== '')
  }

  async #pages(stream: string): Promise<readonly number[]> {
    const files = await list(join(this.#dir, streamFolder(stream)))
    return files
      .flatMap((file) => PAGE.exec(file)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
      this.#log.warn('journal cannot be removed', { error })
    })
  }

  #path(stream: string, page: number): string {
    return join(this.#dir, streamFolder(stream), `${page}.jsonl`)
  }
}

/** A folder that is not there has nothing in it. */
async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}
