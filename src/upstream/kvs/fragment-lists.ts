import { parseMedia } from '../../formats/m3u8/parse-media.ts'
import type { ListedFragment } from '../listed-fragment.ts'
import { listFragments } from './list-fragments.ts'
import { MapGenerations } from './map-generations.ts'

/**
 * Reads the successive lists of one playlist. A URI names the same fragment as long as the session lives, and most of
 * them stood in the list before; so of a list that only went on, no more is read than what is new.
 */
export class FragmentLists {
  readonly generations = new MapGenerations()
  #text = ''
  #uris: readonly string[] = []
  #fragments: readonly ListedFragment[] = []

  /**
   * Reads the next list.
   * @throws PlaylistError, or GatewayError when a fragment cannot be identified or fetched
   */
  read(text: string, session: URL): readonly ListedFragment[] {
    if (text === this.#text) return this.#fragments
    const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const known = this.#knownOf(uris)
    // Its EXT-X-MAP is the one of those behind it, unless they say otherwise; and it shows a URI that is whole.
    const before = known.length === 0 ? 0 : 1
    const newest = uris.length - known.length + before
    const playlist = parseMedia(text, before === 0 ? {} : { newest })
    const fresh = listFragments(playlist, session, this.generations).slice(before)
    const fragments = [...known, ...fresh]
    this.#text = text
    this.#uris = uris
    this.#fragments = fragments
    return fragments
  }

  /** Returns what is known of the first ones of these; nothing when the list did not simply go on. */
  #knownOf(uris: readonly string[]): readonly ListedFragment[] {
    const at = this.#uris.indexOf(uris[0] ?? '')
    const goesOn = at !== -1 && this.#uris.slice(at).every((uri, i) => uri === uris[i])
    const isWhole = this.#fragments.length === this.#uris.length
    return goesOn && isWhole ? this.#fragments.slice(at) : []
  }
}
