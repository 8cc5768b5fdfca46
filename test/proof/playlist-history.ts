import type { Finding } from './fault.ts'
import { type Identity, KnownSegments } from './known-segments.ts'
import type { ListedSegment, MediaPlaylist } from './media-playlist.ts'

/**
 * What one playlist URL has said so far, and whether it contradicts itself: guarantees G1, G4 and G5 as
 * far as text can break them.
 */
export class PlaylistHistory {
  readonly #known: KnownSegments
  #previous: MediaPlaylist | undefined

  /** @param known shared with those who look at the same list elsewhere */
  constructor(known = new KnownSegments()) {
    this.#known = known
  }

  get previous(): MediaPlaylist | undefined {
    return this.#previous
  }

  /** Takes the next answer in; `playlist` and all before it came from the same URL, in this order. */
  take(playlist: MediaPlaylist): readonly Finding[] {
    const previous = this.#previous
    this.#previous = playlist
    return [
      ...targetDuration(playlist),
      ...(previous === undefined ? [] : compare(previous, playlist)),
      ...playlist.segments.flatMap((segment) => this.#remember(segment)),
    ]
  }

  #remember(segment: ListedSegment): readonly Finding[] {
    const known = this.#known.identity(segment)
    if (known !== undefined) return changes(segment, known)
    const { msn, uri, gap } = segment
    const other = this.#known.nameOf(segment)
    if (other === undefined || gap) return []
    return [{ kind: 'uri-reused', msn, detail: `${uri} was segment ${other} before` }]
  }
}

function changes(now: ListedSegment, before: Identity): readonly Finding[] {
  const { msn } = now
  const findings: Finding[] = (['uri', 'extinf', 'pdtMs', 'gap', 'mapUri'] as const)
    .filter((key) => now[key] !== before[key])
    .map((key) => ({
      kind: 'msn-changed',
      msn,
      detail: `${key} was ${before[key]}, is ${now[key]}`,
    }))
  // RFC 8216, 6.2.2: removed discontinuities go on counting, so a segment's own number stays.
  if (now.dsn !== before.dsn || now.discontinuity !== before.discontinuity) {
    const detail = `discontinuity sequence was ${before.dsn}, is ${now.dsn}`
    findings.push({ kind: 'discontinuity-arithmetic', msn, detail })
  }
  return findings
}

function targetDuration({ targetDurationS, segments }: MediaPlaylist): readonly Finding[] {
  return segments
    .filter(({ durationMs }) => Math.round(durationMs / 1000) > targetDurationS)
    .map(({ msn, extinf }) => ({
      kind: 'target-duration-exceeded' as const,
      msn,
      detail: `EXTINF ${extinf} above EXT-X-TARGETDURATION ${targetDurationS}`,
    }))
}

function compare(previous: MediaPlaylist, next: MediaPlaylist): readonly Finding[] {
  const findings: Finding[] = []
  const decreased = (kind: Finding['kind'], before: number, after: number): void => {
    if (after < before) findings.push({ kind, detail: `from ${before} to ${after}` })
  }
  decreased('media-sequence-decreased', previous.mediaSequence, next.mediaSequence)
  decreased(
    'discontinuity-sequence-decreased',
    previous.discontinuitySequence,
    next.discontinuitySequence,
  )
  // What lies behind the list's end was promised already: a shorter list takes it back.
  decreased('playlist-regressed', endOf(previous), endOf(next))
  if (previous.targetDurationS !== next.targetDurationS) {
    const detail = `from ${previous.targetDurationS} to ${next.targetDurationS}`
    findings.push({ kind: 'target-duration-changed', detail })
  }
  return [...findings, ...tooShort(previous, next)]
}

const endOf = ({ mediaSequence, segments }: MediaPlaylist): number =>
  mediaSequence + segments.length

/**
 * RFC 8216, 6.2.2: nothing may be removed from a list that is then shorter than three target durations.
 * A list that holds nothing of the previous one has started again after a pause, which is something else.
 */
function tooShort(previous: MediaPlaylist, next: MediaPlaylist): readonly Finding[] {
  const removed = next.mediaSequence > previous.mediaSequence
  if (!removed || next.mediaSequence >= endOf(previous)) return []
  const listedMs = next.segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const leastMs = 3000 * next.targetDurationS
  if (listedMs >= leastMs - 1) return []
  const detail = `${listedMs} ms listed after removal, below ${leastMs}`
  return [{ kind: 'window-too-short', detail }]
}
