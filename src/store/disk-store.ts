import { readdir, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { contentId, isContentId } from './content-id.ts'
import { type DiskPlace, diskPlace, fileOf, readFileName, streamFolder } from './disk-path.ts'
import type { FragmentKey } from './fragment-key.ts'
import { type FragmentTier, type Hold, type SavedBody, savedBody } from './fragment-tier.ts'
import { makeFolder, readStateFile, writeStateFile } from './state-file.ts'
import { TierRoom } from './tier-room.ts'

export interface DiskStoreOptions {
  /** The directory; everything below it belongs to the store. */
  readonly dir: string
  readonly maxBytes: number
  readonly log: Log
}

/** Says what to keep when a process starts. */
export interface Wanted {
  /** The published segments that some list still names. */
  readonly keys: Iterable<FragmentKey>
  /** The streams that there are: what was made or fetched of their past stays while there is room. */
  readonly streams: Iterable<string>
}

interface StoredFile {
  /** The path below the directory. */
  readonly path: string
  /** The content id of its bytes. */
  readonly id: string
  readonly size: number
}

/**
 * Keeps one file per fragment, so that what a saved timeline lists can be served after a crash (G6).
 *
 * A file is written beside its place and renamed into it, so it is whole or absent; it is read back only if its content
 * still has the hash that its name says. The disk is a convenience: when it fails, a write is lost and a read finds
 * nothing, which is logged, and the streams go on.
 */
export class DiskStore implements FragmentTier {
  readonly #options: DiskStoreOptions
  readonly #writes: Outage
  /** Apart, because a disk that is full is still read. */
  readonly #others: Outage
  /** The files by folder and name. Those that go first are known after a restart by their time of 1970. */
  readonly #room: TierRoom<StoredFile>

  private constructor(options: DiskStoreOptions) {
    this.#options = options
    this.#room = new TierRoom(options.maxBytes)
    // A full or broken disk fails at every fragment.
    const messages = { fails: 'disk cache fails', works: 'disk cache works again' }
    this.#writes = new Outage(options.log, { level: 'warn', ...messages })
    this.#others = new Outage(options.log, { level: 'warn', ...messages })
  }

  /** Takes over what an earlier run left. */
  static async open(options: DiskStoreOptions): Promise<DiskStore> {
    const store = new DiskStore(options)
    await store.#writes.attempt({ while: 'reading the disk cache' }, () => store.#scan())
    return store
  }

  /** The size of all files, in bytes. */
  get bytes(): number {
    return this.#room.used
  }

  /** Returns how much room the file system has left for us, in bytes; undefined while it does not tell. */
  async freeBytes(): Promise<number | undefined> {
    const room = await statfs(this.#options.dir).catch(() => undefined)
    return room && room.bavail * room.bsize
  }

  async put(key: FragmentKey, bytes: Buffer, hold: Hold): Promise<void> {
    const place = diskPlace(key)
    const isSpare = hold === 'spare' || key.form !== 'published'
    const slot = slotOf(place)
    if (this.#room.get(slot) !== undefined || !this.#room.fits(bytes.length, hold, isSpare)) return
    const id = place.id ?? contentId(bytes)
    const file = { path: join(place.folder, fileOf(place, id)), id, size: bytes.length }
    await this.#writes.attempt({ while: 'writing to the disk cache' }, async () => {
      await writeStateFile(this.#at(file.path), bytes)
      this.#room.note(slot, file, isSpare)
      // After a restart it goes first as well: it is the oldest file then.
      if (isSpare) await utimes(this.#at(file.path), 0, 0)
      await this.#makeRoom()
    })
  }

  async get(key: FragmentKey): Promise<SavedBody | undefined> {
    const slot = slotOf(diskPlace(key))
    const file = this.#room.get(slot)
    if (file === undefined) return undefined
    const bytes = await this.#others.attempt({ while: 'reading from the disk cache' }, () =>
      readStateFile(this.#at(file.path), file.size),
    )
    if (bytes !== undefined && isContentId(file.id, bytes)) return savedBody(bytes)
    await this.#remove(slot)
    return undefined
  }

  async delete(key: FragmentKey): Promise<void> {
    await this.#remove(slotOf(diskPlace(key)))
  }

  /** Forgets everything that is not wanted. */
  async keepOnly({ keys, streams }: Wanted): Promise<void> {
    const wanted = new Set(Array.from(keys, (key) => slotOf(diskPlace(key))))
    const folders = new Set(Array.from(streams, streamFolder))
    for (const [slot] of this.#room.entries()) {
      const isPast = isUnpublished(slot) && folders.has(slot.split('/', 1).join())
      if (!isPast && !wanted.has(slot)) await this.#remove(slot)
    }
  }

  /** Removes all that is of a stream. */
  async dropStream(stream: string): Promise<void> {
    const folder = streamFolder(stream)
    for (const [slot] of this.#room.entries()) {
      if (slot.split('/', 1).join() === folder) await this.#remove(slot)
    }
  }

  async #scan(): Promise<void> {
    const { dir } = this.#options
    await makeFolder(dir)
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    const found: { slot: string; file: StoredFile; atMs: number }[] = []
    for (const entry of entries.filter((candidate) => candidate.isFile())) {
      const path = join(entry.parentPath, entry.name)
      const read = readFileName(entry.name)
      // A write that a crash cut short, or nothing of ours.
      if (read === undefined) await rm(path, { force: true })
      else {
        const { size, mtimeMs } = await stat(path)
        const { name, id = name.slice(name.indexOf('-') + 1) } = read
        const slot = join(relative(dir, entry.parentPath), name)
        found.push({ slot, file: { path: relative(dir, path), id, size }, atMs: mtimeMs })
      }
    }
    for (const { slot, file, atMs } of found.sort((a, b) => a.atMs - b.atMs)) {
      this.#room.note(slot, file, atMs === 0)
    }
    await this.#makeRoom()
  }

  async #makeRoom(): Promise<void> {
    for (let next = this.#room.excess(); next !== undefined; next = this.#room.excess()) {
      await this.#remove(next)
    }
  }

  async #remove(slot: string): Promise<void> {
    const file = this.#room.forget(slot)
    if (file === undefined) return
    await this.#others.attempt({ while: 'removing from the disk cache' }, () =>
      rm(this.#at(file.path), { force: true }),
    )
  }

  #at(path: string): string {
    return join(this.#options.dir, path)
  }
}

function slotOf({ folder, name }: DiskPlace): string {
  return `${folder}/${name}`
}

/** Says whether a name is no published segment's: that has no dot, all others end with `.form`. */
function isUnpublished(slot: string): boolean {
  return slot.includes('.', slot.lastIndexOf('/'))
}
