import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Archive } from '../archive/archive.ts'
import { rangeName } from '../archive/range.ts'
import { ownMemory } from '../base/own-memory.ts'
import type { ArchiveEntry, ArchiveSnapshot } from '../timeline/archive/entry.ts'
import type { InitFacts, RenditionName } from '../timeline/fragment.ts'
import type { PlaylistName } from './media-names.ts'
import { type RenderedPlaylist, represent } from './rendered-playlists.ts'

const compress = promisify(gzip)

/** A range's playlists as text. Pure. */
export interface ArchiveRenderer {
  multivariant(snapshot: ArchiveSnapshot, range: string): string
  head(snapshot: ArchiveSnapshot): string
  entries(
    entries: readonly ArchiveEntry[],
    rendition: RenditionName,
    before: InitFacts | undefined,
  ): { readonly text: string; readonly init: InitFacts | undefined }
  tail(snapshot: ArchiveSnapshot): string
}

/** Rendered in one go: others have their turn in between. */
const BLOCK = 512
/**
 * A closed list stays as it is while KVS keeps its fragments, and nobody can tell for how long that is. Not
 * for long: late fragments may still be found.
 */
const CLOSED_MAX_AGE_S = 60
/** Above this, best compression costs more time than the lesser one costs bytes. */
const LARGE_BYTES = 512 * 1024

type Ranged = Pick<Archive, 'range'>

/** One playlist of a range, as of so many entries. */
interface Rendered {
  readonly entries: number
  readonly ended: boolean
  readonly playlist: Promise<RenderedPlaylist>
}

/** The text of one rendition so far: what is listed does not change, so it is written once. */
interface Written {
  /** Of as many entries each as are rendered in one go. */
  readonly blocks: Buffer[]
  /** What does not fill one yet: a list that grows for hours is not one buffer for each entry. */
  tail: string
  entries: number
  init: InitFacts | undefined
}

/**
 * The playlists of the ranges that are watched. Made once per growth, and only what is new of them: lists of
 * the past have thousands of lines, of which all but the last few are those of before.
 */
export class ArchivePlaylists {
  readonly #render: ArchiveRenderer
  readonly #rendered = new WeakMap<Ranged, Map<PlaylistName, Rendered>>()
  readonly #written = new WeakMap<Ranged, Map<RenditionName, Written>>()

  constructor(render: ArchiveRenderer) {
    this.#render = render
  }

  get(archive: Ranged, snapshot: ArchiveSnapshot, name: PlaylistName): Promise<RenderedPlaylist> {
    const rendered = mapOf(this.#rendered, archive)
    const entries = snapshot.entries.length
    const { ended } = snapshot
    const known = rendered.get(name)
    if (known?.entries === entries && known.ended === ended) return known.playlist
    // One after the other, as each writes on where the one before it ended.
    const before: Promise<unknown> = known?.playlist.catch(() => {}) ?? Promise.resolve()
    const playlist = before.then(() => this.#make(archive, snapshot, name, entries))
    rendered.set(name, { entries, ended, playlist })
    return playlist
  }

  async #make(
    archive: Ranged,
    snapshot: ArchiveSnapshot,
    name: PlaylistName,
    entries: number,
  ): Promise<RenderedPlaylist> {
    const body =
      name === 'master'
        ? Buffer.from(this.#render.multivariant(snapshot, rangeName(archive.range)))
        : Buffer.concat([
            Buffer.from(this.#render.head(snapshot)),
            ...(await this.#write(archive, snapshot, name, entries)),
            Buffer.from(this.#render.tail(snapshot)),
          ])
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22)
    const maxAgeS = snapshot.ended ? CLOSED_MAX_AGE_S : Math.floor(snapshot.targetDuration / 2)
    const zipped = await compress(body, { level: body.length > LARGE_BYTES ? 1 : 6 })
    return {
      identity: represent([body], `"${hash}"`, maxAgeS, {}),
      gzip: represent([zipped], `"${hash}-gzip"`, maxAgeS, { 'Content-Encoding': 'gzip' }),
    }
  }

  /** The text of the first `count` entries. */
  async #write(
    archive: Ranged,
    snapshot: ArchiveSnapshot,
    rendition: RenditionName,
    count: number,
  ): Promise<readonly Buffer[]> {
    const all = mapOf(this.#written, archive)
    const written = all.get(rendition) ?? { blocks: [], tail: '', entries: 0, init: undefined }
    all.set(rendition, written)
    while (written.entries < count) {
      const end = Math.min(count, (written.blocks.length + 1) * BLOCK)
      const news = snapshot.entries.slice(written.entries, end)
      const { text, init } = this.#render.entries(news, rendition, written.init)
      written.tail += text
      written.entries = end
      written.init = init
      if (end % BLOCK === 0) {
        written.blocks.push(ownMemory(Buffer.from(written.tail)))
        written.tail = ''
      }
      await nextTurn()
    }
    return [...written.blocks, Buffer.from(written.tail)]
  }
}

function mapOf<K, V>(maps: WeakMap<Ranged, Map<K, V>>, archive: Ranged): Map<K, V> {
  const known = maps.get(archive) ?? new Map<K, V>()
  maps.set(archive, known)
  return known
}
