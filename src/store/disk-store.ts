import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Log } from '../base/log.ts'
import { isContentId } from './content-id.ts'
import { diskPath } from './disk-path.ts'
import type { FragmentKey } from './fragment-key.ts'

export interface DiskStoreOptions {
  /** Everything below it belongs to the store. */
  readonly dir: string
  readonly maxBytes: number
  readonly log: Log
}

/**
 * One file per fragment, so that what a saved timeline lists can be served after a crash (G6).
 *
 * Written beside its place and renamed into it, so a file is whole or absent; read back only if its
 * content still has the hash that its name says. The disk is a convenience: when it fails, a write is
 * lost and a read finds nothing, which is logged, and the streams go on.
 */
export class DiskStore {
  readonly #options: DiskStoreOptions
  /** Bytes by relative path, oldest first. */
  readonly #files = new Map<string, number>()
  /** Those of them that go first. */
  readonly #spare = new Set<string>()
  #used = 0
  #failing = false

  private constructor(options: DiskStoreOptions) {
    this.#options = options
  }

  /** Takes over what an earlier run left. */
  static async open(options: DiskStoreOptions): Promise<DiskStore> {
    const store = new DiskStore(options)
    await store.#try('reading the disk cache', () => store.#scan())
    return store
  }

  get bytes(): number {
    return this.#used
  }

  /**
   * Resolves once the file is in place, or the disk has refused it. A key's id is that of its bytes.
   * @param hold `spare`: if there is room, and only for as long as nothing else wants it
   */
  async put(key: FragmentKey, bytes: Buffer, hold?: 'spare'): Promise<void> {
    const { folder, file } = diskPath(key)
    const path = join(folder, file)
    const room = this.#options.maxBytes - (hold === 'spare' ? this.#used : 0)
    if (this.#files.has(path) || bytes.length > room) return
    await this.#try('writing to the disk cache', async () => {
      await this.#write(folder, path, bytes)
      this.#note(path, bytes.length)
      if (hold === 'spare') await this.#makeSpare(path)
      await this.#makeRoom()
    })
  }

  /** The bytes, if they are here and still what they were. */
  async get(key: FragmentKey): Promise<Buffer | undefined> {
    const { folder, file, id } = diskPath(key)
    const path = join(folder, file)
    if (!this.#files.has(path)) return undefined
    const bytes = await this.#try('reading from the disk cache', () => readFile(this.#at(path)))
    if (bytes !== undefined && isContentId(id, bytes)) return bytes
    await this.#remove(path)
    return undefined
  }

  async delete(key: FragmentKey): Promise<void> {
    const { folder, file } = diskPath(key)
    await this.#remove(join(folder, file))
  }

  /** Forgets everything that is not among `keys`: what no saved timeline lists is of no use. */
  async keepOnly(keys: Iterable<FragmentKey>): Promise<void> {
    const wanted = new Set<string>()
    for (const key of keys) {
      const { folder, file } = diskPath(key)
      wanted.add(join(folder, file))
    }
    for (const path of this.#files.keys()) if (!wanted.has(path)) await this.#remove(path)
  }

  async #scan(): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true })
    const entries = await readdir(this.#options.dir, { recursive: true, withFileTypes: true })
    const found: { path: string; size: number; atMs: number }[] = []
    for (const entry of entries.filter((candidate) => candidate.isFile())) {
      const path = join(entry.parentPath, entry.name)
      const { size, mtimeMs } = await stat(path)
      // A write that a crash cut short.
      if (!entry.name.endsWith('.m4s')) await rm(path, { force: true })
      else found.push({ path: relative(this.#options.dir, path), size, atMs: mtimeMs })
    }
    for (const { path, size } of found.sort((a, b) => a.atMs - b.atMs)) this.#note(path, size)
    await this.#makeRoom()
  }

  async #write(folder: string, path: string, bytes: Buffer): Promise<void> {
    const draft = this.#at(join(folder, `${randomUUID()}.draft`))
    try {
      await mkdir(this.#at(folder), { recursive: true })
      await writeFile(draft, bytes, { flag: 'wx' })
      await rename(draft, this.#at(path))
    } finally {
      await rm(draft, { force: true })
    }
  }

  async #makeRoom(): Promise<void> {
    for (const paths of [this.#spare, this.#files]) {
      for (const oldest of paths.keys()) {
        if (this.#used <= this.#options.maxBytes) return
        await this.#remove(oldest)
      }
    }
  }

  /** After a restart it goes first as well: it is the oldest file then. */
  async #makeSpare(path: string): Promise<void> {
    this.#spare.add(path)
    await utimes(this.#at(path), 0, 0)
  }

  async #remove(path: string): Promise<void> {
    if (!this.#forget(path)) return
    await this.#try('removing from the disk cache', () => rm(this.#at(path), { force: true }))
  }

  #note(path: string, size: number): void {
    this.#forget(path)
    this.#files.set(path, size)
    this.#used += size
  }

  #forget(path: string): boolean {
    this.#used -= this.#files.get(path) ?? 0
    this.#spare.delete(path)
    return this.#files.delete(path)
  }

  #at(path: string): string {
    return join(this.#options.dir, path)
  }

  /** A full or broken disk fails at every fragment: the operator is told when that begins and ends. */
  async #try<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work()
      if (this.#failing) this.#options.log.info('disk cache works again')
      this.#failing = false
      return result
    } catch (error) {
      if (!this.#failing) this.#options.log.warn('disk cache fails', { while: what, error })
      this.#failing = true
      return undefined
    }
  }
}
