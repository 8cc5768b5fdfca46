import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { streamFolder } from './disk-path.ts'
import { type JournalPage, type Journals, MOST_PAGE_BYTES } from './journals.ts'
import { seal, unseal } from './seal.ts'
import { isMissing } from './state-dir.ts'
import { appendStateFile, cutStateFile, readStateFile } from './state-file.ts'

const PAGE = /^(\d{1,15})\.jsonl$/

/** Keeps journals in files, one for each page. A process that is killed leaves at most half a line. */
export class FileJournals implements Journals {
  readonly #dir: string
  readonly #log: Log
  readonly #writing: Outage

  /** @param dir the folder, in which everything belongs to the journals */
  constructor(dir: string, log: Log) {
    this.#dir = dir
    this.#log = log
    this.#writing = new Outage(log, {
      level: 'error',
      fails: 'journal cannot be written',
      works: 'journals can be written again',
    })
  }

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

  async append(stream: string, page: number, lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${seal(line)}\n`).join('')
    await this.#writing.attempt({ stream }, () => appendStateFile(this.#path(stream, page), text))
  }

  amend(stream: string, page: number, lines: readonly string[]): Promise<void> {
    return this.append(stream, page, lines)
  }

  async drop(stream: string, page: number): Promise<void> {
    for (const number of await this.#pages(stream)) {
      if (number < page) await this.#remove(this.#path(stream, number))
    }
  }

  async keepOnly(streams: Iterable<string>): Promise<void> {
    const wanted = new Set(Array.from(streams, streamFolder))
    for (const folder of await this.#list(this.#dir)) {
      if (!wanted.has(folder)) await this.#remove(join(this.#dir, folder))
    }
  }

  /** Reads a page without half a line at its end, which is cut off, so that the next one does not go on with it. */
  async #read(path: string): Promise<readonly string[]> {
    const bytes = await readStateFile(path, MOST_PAGE_BYTES)
    const end = bytes.lastIndexOf('\n') + 1
    if (end < bytes.length) await cutStateFile(path, end)
    return bytes
      .toString('utf8', 0, end)
      .split('\n')
      .filter((line) => line !== '')
      .map(unseal)
  }

  async #pages(stream: string): Promise<readonly number[]> {
    const files = await this.#list(join(this.#dir, streamFolder(stream)))
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

  /** Lists a folder; one that is not there has nothing in it. */
  async #list(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(folder)
    } catch (error) {
      if (!isMissing(error)) this.#log.error('journals cannot be listed', { folder, error })
      return []
    }
  }
}
