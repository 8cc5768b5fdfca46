import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { contentId } from '../store/content-id.ts'
import { comparePlaces, type DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import { behindInsertion, type Insertion, placeInsertion } from '../timeline/dvr/insertion.ts'
import { findRoom, type Stretch } from '../timeline/dvr/room.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { exceedsTarget } from '../timeline/target-duration.ts'
import { ticksToMs } from '../timeline/ticks.ts'
import type { Dvr } from './dvr.ts'
import type { Inits } from './inits.ts'
import type { Shelf, StoredTrack } from './shelf.ts'

/** A fragment that the list lacks, with all its tracks. */
export interface Recovered {
  readonly number: bigint
  /** On the clock that dates the stream's fragments, in milliseconds since 1970. */
  readonly dateMs: number
  /** When KVS had it, in milliseconds since 1970. */
  readonly serverMs: number
  /** Of the session that gave it. */
  readonly timeBase: number
  readonly tracks: readonly FetchedTrack[]
  /** `spare` for what is older than the bytes that it could push out. */
  readonly hold: 'none' | 'spare'
}

export interface InserterParts {
  readonly dvr: Dvr
  readonly inits: Inits
  readonly shelf: Shelf
}

/**
 * One edition's worth of fragments that are put into the past: each placed and stored when it is there, all
 * listed together. So no more than one is held besides the store (G18).
 */
export class Inserter {
  readonly #parts: InserterParts
  readonly #inserted = new Map<number, DvrSegment>()
  /** What was listed before, with another discontinuity. */
  readonly #changed = new Map<number, DvrSegment>()
  readonly #inits: { readonly track: FetchedTrack['facts']['init']; readonly bytes: Buffer }[] = []
  #listed: readonly DvrSegment[]
  #nextName: number

  constructor(parts: InserterParts) {
    this.#parts = parts
    this.#listed = parts.dvr.listedSince(0)
    this.#nextName = parts.dvr.nextInserted
  }

  /**
   * Stores a fragment if there is room for it, and it is not longer than the list may have it (G5).
   * Fragments come by date.
   * @throws RangeError or Mp4Error when it cannot be placed, GatewayError `overloaded`
   */
  async add(fragment: Recovered): Promise<void> {
    const anchor = findRoom(this.#listed, stretchOf(fragment))
    const { targetDuration } = this.#parts.dvr
    if (anchor === undefined || exceedsTarget(longestMs(fragment), targetDuration)) return
    const before = this.#listed.findLast(({ startMs }) => startMs <= fragment.dateMs)
    const segment = await this.#store(fragment, anchor, before)
    this.#nextName += 1
    this.#inserted.set(segment.msn, segment)
    for (const { facts, initBytes } of fragment.tracks) {
      this.#inits.push({ track: facts.init, bytes: initBytes })
    }
    this.#list(segment)
  }

  /** Lists what was added, as one edition. Says what that is, by date. */
  async finish(): Promise<readonly DvrSegment[]> {
    const { dvr, inits } = this.#parts
    // Only now: what is not listed yet would be forgotten with the next fragment.
    for (const { track, bytes } of this.#inits) inits.add(track.rendition, track.id, bytes)
    const inserted = [...this.#inserted.values()]
    if (inserted.length === 0) return []
    return (await dvr.insert([...inserted, ...this.#changed.values()])) ? inserted : []
  }

  #list(segment: DvrSegment): void {
    const at = this.#listed.findIndex((each) => comparePlaces(each, segment) > 0)
    const next = this.#listed[at]
    if (next === undefined) return
    const behind = behindInsertion(segment, next)
    if (behind !== next) this.#change(behind)
    const [before, after] = [this.#listed.slice(0, at), this.#listed.slice(at + 1)]
    this.#listed = [...before, segment, behind, ...after]
  }

  #change(segment: DvrSegment): void {
    const { msn } = segment
    if (this.#inserted.has(msn)) this.#inserted.set(msn, segment)
    else this.#changed.set(msn, segment)
  }

  async #store(
    { tracks, number, ...fragment }: Recovered,
    anchor: number,
    before: DvrSegment | undefined,
  ): Promise<DvrSegment> {
    const msn = this.#nextName
    const facts = {
      source: 'camera',
      number,
      timeBase: fragment.timeBase,
      startMs: fragment.dateMs,
      receivedMs: fragment.serverMs,
      tracks: Object.fromEntries(tracks.map((track) => [track.rendition, track.facts])),
    } as const
    const insertion = placeInsertion(before, facts)
    const stored = new Map(tracks.map((track) => storedTrack(track, insertion, msn)))
    await this.#parts.shelf.put(msn, stored, fragment.hold)
    const { discontinuity, startMs, durationMs } = insertion
    const { receivedMs } = facts
    const dsn = before?.dsn ?? 0
    const named = { msn, anchor, dsn, source: 'camera', number } as const
    const times = { startMs, durationMs, receivedMs, discontinuity }
    return { ...named, ...times, tracks: segmentTracks(tracks, insertion, stored) }
  }
}

function storedTrack(
  { rendition, bytes: fetched }: FetchedTrack,
  { times }: Insertion,
  sequenceNumber: number,
): readonly [RenditionName, StoredTrack] {
  const bytes = rewriteMedia(fetched, { baseTicks: times[rendition] ?? 0, sequenceNumber })
  return [rendition, { id: contentId(bytes), bytes }]
}

function segmentTracks(
  tracks: readonly FetchedTrack[],
  { times }: Insertion,
  stored: ReadonlyMap<RenditionName, StoredTrack>,
): Segment['tracks'] {
  return Object.fromEntries(
    tracks.map(({ rendition, facts }): [RenditionName, SegmentTrack] => {
      const { init, durationTicks, samples } = facts
      const { id = '', bytes = Buffer.alloc(0) } = stored.get(rendition) ?? {}
      const baseTicks = times[rendition] ?? 0
      return [rendition, { init, baseTicks, durationTicks, samples, bytes: bytes.length, id }]
    }),
  )
}

function longestMs({ tracks }: Recovered): number {
  return Math.max(
    ...tracks.map(({ facts }) => ticksToMs(facts.durationTicks, facts.init.timescale)),
  )
}

function stretchOf({ dateMs, tracks }: Recovered): Stretch {
  const clock = tracks.find(({ rendition }) => rendition === 'video') ?? tracks[0]
  const lengthMs =
    clock === undefined ? 0 : ticksToMs(clock.facts.durationTicks, clock.facts.init.timescale)
  return { startMs: dateMs, endMs: dateMs + lengthMs }
}
