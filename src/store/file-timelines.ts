import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { MOST_TIMELINE_BYTES, type SavedTimelines } from './saved-timelines.ts'
import { seal, unseal } from './seal.ts'
import { isMissing } from './state-dir.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

const SUFFIX = '.timeline.json'

/** Keeps one file of JSON per stream, sealed with its checksum. */
export class FileTimelines implements SavedTimelines {
  readonly #dir: string
  readonly #log: Log
  readonly #saving: Outage

  /** @param dir the folder, in which everything belongs to the timelines */
  constructor(dir: string, log: Log) {
    this.#dir = dir
    this.#log = log
    this.#saving = new Outage(log, {
      level: 'error',
      fails: 'timeline cannot be saved',
      works: 'timelines can be saved again',
    })
  }

  async load(stream: string): Promise<unknown> {
    try {
      const text = await readStateFile(this.#path(stream), MOST_TIMELINE_BYTES)
      return JSON.parse(unseal(text.toString())) as unknown
    } catch (error) {
      if (!isMissing(error)) this.#log.error('saved timeline cannot be read', { stream, error })
      return undefined
    }
  }

  async names(wanted: (stream: string) => boolean): Promise<readonly string[]> {
    const names = (await this.#files())
      .filter((file) => file.endsWith(SUFFIX))
      .map((file) => file.slice(0, -SUFFIX.length))
    const dated = await Promise.all(
      names.filter(wanted).map(async (name) => ({ name, savedMs: await this.#savedMs(name) })),
    )
    return dated.toSorted((a, b) => b.savedMs - a.savedMs).map(({ name }) => name)
  }

  async save(stream: string, timeline: unknown): Promise<void> {
    await this.#saving.attempt({ stream }, () =>
      writeStateFile(this.#path(stream), seal(JSON.stringify(timeline))),
    )
  }

  async #files(): Promise<readonly string[]> {
    try {
      return await readdir(this.#dir)
    } catch (error) {
      if (!isMissing(error)) this.#log.error('saved timelines cannot be listed', { error })
      return []
    }
  }

  /** When it was saved, in milliseconds since 1970. */
  async #savedMs(stream: string): Promise<number> {
    try {
      return (await stat(this.#path(stream))).mtimeMs
    } catch (error) {
      if (!isMissing(error)) this.#log.error('saved timeline cannot be read', { stream, error })
      return 0
    }
  }

  /**
   * Returns the path of a stream's file. Stream names are one path segment of tame characters; the suffix keeps `.` and
   * `..` harmless.
   */
  #path(stream: string): string {
    return join(this.#dir, stream + SUFFIX)
  }
}
