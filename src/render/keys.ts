import { quoted } from '../formats/m3u8/attributes.ts'
import { tag } from '../formats/m3u8/write.ts'
import type { SegmentKey } from '../timeline/fragment.ts'
import { keyUri } from './uris.ts'

/** EXT-X-KEY tags from one segment to the next: they hold until others replace them. RFC 8216, 4.3.2.4. */
export class KeyTags {
  #current = ''

  /** What to write so that these keys hold, and no others. */
  switchTo(keys: readonly SegmentKey[]): string[] {
    const tags = keys.map(keyTag)
    const wanted = tags.join('\n')
    if (wanted === this.#current) return []
    const before = this.#current
    this.#current = wanted
    // A key replaces only the one of its own KEYFORMAT: with one each, that is all.
    const replaces = keys.length === 1 && keys[0]?.keyFormat === undefined && isOneOfOurs(before)
    return before === '' || replaces ? tags : [tag('EXT-X-KEY', { METHOD: 'NONE' }), ...tags]
  }
}

/** Whether it is one key, of the format that needs no name. */
function isOneOfOurs(tags: string): boolean {
  return !tags.includes('\n') && !tags.includes('KEYFORMAT=')
}

function keyTag({ method, id, uri, iv, keyFormat, keyFormatVersions }: SegmentKey): string {
  const optional = (value: string | undefined): ReturnType<typeof quoted> | undefined =>
    value === undefined ? undefined : quoted(value)
  return tag('EXT-X-KEY', {
    METHOD: method,
    URI: quoted(id === undefined ? (uri ?? '') : keyUri(id)),
    IV: iv,
    KEYFORMAT: optional(keyFormat),
    KEYFORMATVERSIONS: optional(keyFormatVersions),
  })
}
