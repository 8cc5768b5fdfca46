import type { SegmentContext } from './media-playlist.ts'
import { withKey, withMap } from './read-context.ts'
import {
  type RangeBefore,
  rangeBefore,
  readByteRange,
  readDate,
  readExtinf,
} from './segment-tags.ts'

/** Says what the segments that were left out leave to those after them. */
export interface LeftOut {
  readonly segments: number
  readonly discontinuities: number
  readonly context: SegmentContext
  readonly range: RangeBefore | undefined
  /** The date of the next segment, where it follows from one that is written. */
  readonly nextMs: number | undefined
}

const NOTHING: LeftOut = {
  segments: 0,
  discontinuities: 0,
  context: { map: undefined, keys: [] },
  range: undefined,
  nextMs: undefined,
}

/** Matches tags of the whole playlist, wherever they stand. */
const HEAD =
  /^#(?:EXTM3U|EXT-X-(?:VERSION|TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE|PLAYLIST-TYPE|INDEPENDENT-SEGMENTS|SERVER-CONTROL|SKIP|ENDLIST))(?![A-Z-])/

/**
 * Leaves out all but the newest segments of a media playlist, so that a list of a day costs little more than one of
 * some minutes: what is left out is looked over once, and nothing is made of it but what holds after it.
 * @throws PlaylistError when a tag that matters is broken
 */
export function newestOf(
  text: string,
  count: number,
): { readonly text: string; readonly leftOut: LeftOut } {
  const start = startOfNewest(text, count)
  if (start === 0) return { text, leftOut: NOTHING }
  const survey = new Survey()
  for (let at = 0; at < start; at = endOf(text, at) + 1) survey.look(text, at)
  // As in the whole list, something is a segment: m3u8-parser knows that by an EXTINF.
  return {
    text: `${survey.head}#EXTINF:\n${text.slice(start)}`,
    leftOut: survey.leftOut(text, start),
  }
}

/** Finds the place behind the last URI that is left out; 0 when nothing is. */
function startOfNewest(text: string, count: number): number {
  let uris = 0
  for (let end = text.length; end > 0; ) {
    const at = text.lastIndexOf('\n', end - 1) + 1
    if (isUri(text, at)) {
      uris += 1
      if (uris > count) return end + 1
    }
    end = at - 1
  }
  return 0
}

/** Finds the end of the line that begins there. */
function endOf(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/** Says whether the line that begins there is a URI, and not a tag, a comment or empty. */
function isUri(text: string, at: number): boolean {
  let first = at
  while (first < text.length && text[first] !== '\n' && text.charAt(first).trim() === '') first += 1
  return !'\n#'.includes(text.charAt(first))
}

/**
 * Looks over what is left out. Nearly all of its lines are EXTINF, dates and URIs: of those it only sees that they
 * are there.
 */
class Survey {
  head = ''
  #segments = 0
  #discontinuities = 0
  #context = NOTHING.context
  #range: RangeBefore | undefined
  #byteRange: string | undefined
  /** Where the lines of the next segment begin. */
  #next = 0
  /** Where the lines of the segment begin that has the last date that still holds. */
  #dated: number | undefined

  look(text: string, at: number): void {
    if (text.startsWith('#EXTINF', at)) return
    if (text.startsWith('#EXT-X-PROGRAM-DATE-TIME', at)) {
      this.#dated = this.#next
    } else if (isUri(text, at)) this.#uri(text, at)
    else this.#tag(text.slice(at, endOf(text, at)).trim())
  }

  leftOut(text: string, end: number): LeftOut {
    return {
      segments: this.#segments,
      discontinuities: this.#discontinuities,
      context: this.#context,
      range: this.#range,
      nextMs: this.#dated === undefined ? undefined : carryOn(text, this.#dated, end),
    }
  }

  #uri(text: string, at: number): void {
    this.#segments += 1
    this.#next = endOf(text, at) + 1
    if (this.#byteRange === undefined) this.#range = undefined
    else {
      const uri = text.slice(at, endOf(text, at)).trim()
      this.#range = rangeBefore(uri, readByteRange(this.#byteRange, uri, this.#range))
      this.#byteRange = undefined
    }
  }

  #tag(line: string): void {
    const { name, value } = tagOf(line)
    switch (name) {
      case '#EXT-X-DISCONTINUITY':
        this.#discontinuities += 1
        if (this.#dated !== this.#next) this.#dated = undefined
        break
      case '#EXT-X-PROGRAM-DATE-TIME':
        this.#dated = this.#next
        break
      case '#EXT-X-KEY':
        this.#context = withKey(this.#context, value)
        break
      case '#EXT-X-MAP':
        this.#context = withMap(this.#context, value)
        break
      case '#EXT-X-BYTERANGE':
        this.#byteRange = value
        break
      default:
        if (HEAD.test(line)) this.head += `${line}\n`
    }
  }
}

/**
 * Returns the date at the end of some segments of which the first is dated. Durations that are rounded add up to none.
 */
function carryOn(text: string, from: number, to: number): number | undefined {
  let ms: number | undefined
  let durationMs: number | undefined
  // Most are as long as the one before.
  let measured: { readonly value: string; readonly ms: number | undefined } | undefined
  for (let at = from; at < to; at = endOf(text, at) + 1) {
    if (isUri(text, at)) {
      if (ms === undefined || durationMs === undefined) return undefined
      ms += durationMs
      durationMs = undefined
      continue
    }
    const { name, value } = tagOf(text.slice(at, endOf(text, at)).trim())
    if (name === '#EXT-X-PROGRAM-DATE-TIME') ms = readDate(value)
    if (name !== '#EXTINF') continue
    if (measured?.value !== value) measured = { value, ms: measuredMs(value) }
    durationMs = measured.ms
  }
  return ms
}

function measuredMs(extinf: string): number | undefined {
  if (extinf === '') return undefined
  const { durationS, isRounded } = readExtinf(extinf) ?? { durationS: 0, isRounded: true }
  return isRounded ? undefined : durationS * 1000
}

function tagOf(line: string): { readonly name: string; readonly value: string } {
  const colon = line.indexOf(':')
  if (colon === -1) return { name: line, value: '' }
  return { name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1).trim() }
}
