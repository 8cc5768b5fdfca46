import type { FetchedFragment } from '../ingest/fetch-fragment.ts'
import type { Hold } from '../store/fragment-tier.ts'
import { mapTracks } from '../timeline/cursor.ts'
import { comparePositions, type DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import { behindInsertion, placeInsertion } from '../timeline/dvr/insertion.ts'
import { findGap, type Stretch } from '../timeline/dvr/list-gaps.ts'
import { picturesOf, segmentTracks } from '../timeline/segment-tracks.ts'
import { exceedsTarget } from '../timeline/target-duration.ts'
import { ticksToMs } from '../timeline/ticks.ts'
import type { Dvr } from './dvr.ts'
import { factsOf } from './facts-of.ts'
import { Inits } from './inits.ts'
import type { SegmentBytes } from './segment-bytes.ts'
import { storeTracks } from './store-tracks.ts'

export interface InsertionsParts {
  readonly dvr: Dvr
  readonly bytes: SegmentBytes
  /** Lists segments of the past when nothing else is being shown; says whether they have a place. */
  readonly insert: (inserted: readonly DvrSegment[], inits: Inits) => Promise<boolean>
}

/**
 * Puts one edition's worth of fragments into the past: each placed and stored when it is there, all listed together. So
 * no more than one is held besides the store (G18).
 */
export class Insertions {
  readonly #parts: InsertionsParts
  readonly #inserted = new Map<number, DvrSegment>()
  /** What was listed before, with another discontinuity. */
  readonly #changed = new Map<number, DvrSegment>()
  readonly #inits = new Inits()
  #listed: readonly DvrSegment[]
  #nextName: number

  constructor(parts: InsertionsParts) {
    this.#parts = parts
    this.#listed = parts.dvr.listedSince(0)
    this.#nextName = parts.dvr.nextInserted
  }

  /**
   * Stores a fragment if the list has a place for it, and it is not longer than the list may have it (G5).
   * Fragments come by date, which all of them have.
   * @param hold `spare` for what is older than the bytes that it could push out
   * @throws RangeError or Mp4Error when it cannot be placed, GatewayError `overloaded`
   */
  async add(fragment: FetchedFragment, hold: Hold): Promise<void> {
    const stretch = stretchOf(fragment)
    const anchor = findGap(this.#listed, stretch)
    const { dvr } = this.#parts
    if (anchor === undefined || exceedsTarget(longestMs(fragment), dvr.targetDuration)) return
    if (!dvr.mayInsert({ anchor, startMs: stretch.startMs, msn: this.#nextName })) return
    const before = this.#listed.findLast(({ startMs }) => startMs <= stretch.startMs)
    const segment = await this.#store(fragment, anchor, before, hold)
    this.#nextName += 1
    this.#inserted.set(segment.msn, segment)
    for (const { facts, initBytes } of fragment.tracks) {
      this.#inits.add(facts.init.rendition, facts.init.id, initBytes)
    }
    this.#list(segment)
  }

  /** Lists what was added, as one edition. Says what that is, by date. */
  async finish(): Promise<readonly DvrSegment[]> {
    const inserted = [...this.#inserted.values()]
    if (inserted.length === 0) return []
    const all = [...inserted, ...this.#changed.values()]
    return (await this.#parts.insert(all, this.#inits)) ? inserted : []
  }

  #list(segment: DvrSegment): void {
    const at = this.#listed.findIndex((each) => comparePositions(each, segment) > 0)
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
    fragment: FetchedFragment,
    anchor: number,
    before: DvrSegment | undefined,
    hold: Hold,
  ): Promise<DvrSegment> {
    const msn = this.#nextName
    const facts = factsOf('camera', fragment)
    const { times, discontinuity, startMs, durationMs } = placeInsertion(before, facts)
    const placed = mapTracks(facts.tracks, (track, name) => ({
      facts: track,
      baseTicks: times[name] ?? 0,
    }))
    const { bytes } = this.#parts
    const published = await storeTracks(bytes, { msn, tracks: placed }, fragment.tracks, hold)
    return {
      msn,
      anchor,
      dsn: before?.dsn ?? 0,
      source: 'camera',
      number: facts.number,
      startMs,
      durationMs,
      receivedMs: facts.receivedMs,
      discontinuity,
      ...picturesOf(facts),
      tracks: segmentTracks(placed, published),
    }
  }
}

function longestMs({ tracks }: Pick<FetchedFragment, 'tracks'>): number {
  return Math.max(
    ...tracks.map(({ facts }) => ticksToMs(facts.durationTicks, facts.init.timescale)),
  )
}

function stretchOf({ listed: { startMs = 0 }, tracks }: FetchedFragment): Stretch {
  const clock = tracks.find(({ rendition }) => rendition === 'video') ?? tracks[0]
  const lengthMs =
    clock === undefined ? 0 : ticksToMs(clock.facts.durationTicks, clock.facts.init.timescale)
  return { startMs, endMs: startMs + lengthMs }
}
