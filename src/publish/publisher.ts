import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { FetchedFragment, FetchedTrack } from '../ingest/fetch-fragment.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import { contentId } from '../store/content-id.ts'
import { RENDITIONS } from '../timeline/cursor.ts'
import type { SegmentDraft } from '../timeline/draft.ts'
import type { FragmentFacts, Segment, SegmentTrack, SourceName } from '../timeline/fragment.ts'
import { dedupe } from '../timeline/identity.ts'
import type { LiveList } from '../timeline/segment-list.ts'
import type { NewestFragment, Timeline } from '../timeline/timeline.ts'
import { isUnread } from '../timeline/unread.ts'
import type { Dvr } from './dvr.ts'
import { type Inits, initsOf } from './inits.ts'
import type { Shelf, StoredTrack } from './shelf.ts'

export interface PublisherOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly counters: GatewayCounters
  readonly timeline: Timeline
  readonly inits: Inits
  readonly shelf: Shelf
  /** Undefined: the stream keeps no past. */
  readonly dvr: Dvr | undefined
  /** A fragment cannot be listed: the timeline will have a gap. */
  readonly skipped: (source: SourceName, number: bigint, error: unknown) => void
  /** Makes what the timeline knows outlive the process; resolves when it does. */
  readonly save: () => Promise<void>
  readonly published: (newest: Segment) => void
  /** The list says now that it has ended. */
  readonly ended: () => void
}

/**
 * Turns fetched fragments into listed segments: placed on the timeline, with the placed times in their
 * bytes, stored, saved, and only then shown. In this order a listed segment can be fetched (G6), and a
 * process that dies at any point has not shown a number that it would give again (G1).
 */
export class Publisher {
  readonly #options: PublisherOptions
  #shown: LiveList | undefined
  readonly #newest = new Map<SourceName, NewestFragment>()
  /** Sources publish one after the other: a place on the timeline holds until the next one is taken. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: PublisherOptions) {
    const { timeline } = options
    this.#options = options
    timeline.fixTargetDuration()
    this.#shown = timeline.snapshot()
    for (const source of ['camera', 'backup'] as const) {
      const newest = timeline.newest(source)
      if (newest !== undefined) this.#newest.set(source, newest)
    }
  }

  /** What players may see now. */
  snapshot(): LiveList | undefined {
    return this.#shown
  }

  /** The newest fragment that came from a source, published or not. */
  newest(source: SourceName): NewestFragment | undefined {
    return this.#newest.get(source)
  }

  /** What came from the source before says nothing of what comes next. */
  forget(source: SourceName): void {
    this.#newest.delete(source)
  }

  /**
   * Places, stores and lists fragments of one source, in order.
   * @param isShown asked when it is their turn: if not, they are only noted
   */
  async publish(
    source: SourceName,
    batch: readonly FetchedFragment[],
    isShown: () => boolean = () => true,
  ): Promise<void> {
    const turn = this.#turn.then(() => this.#publish(source, batch, isShown()))
    this.#turn = turn.catch(() => {})
    await turn
  }

  async #publish(
    source: SourceName,
    batch: readonly FetchedFragment[],
    isShown: boolean,
  ): Promise<void> {
    const byNumber = new Map(batch.map((fragment) => [fragment.listed.number, fragment]))
    const added: Segment[] = []
    for (const { number } of dedupe(batch.map(({ listed }) => listed))) {
      const fragment = byNumber.get(number)
      if (fragment === undefined) continue
      this.#newest.set(source, { number, endMs: endOf(fragment) })
      const segment = isShown ? await this.#append(source, fragment) : undefined
      if (segment !== undefined) added.push(segment)
    }
    const newest = added.at(-1)
    if (newest === undefined) return
    this.#options.timeline.fixTargetDuration()
    this.refresh()
    const { dvr, shelf, save } = this.#options
    const seekable = added.filter((segment) => !isUnread(segment))
    await Promise.all([dvr?.record(seekable), save()])
    this.#show()
    shelf.drop(dvr?.show(seekable) ?? [])
    this.#report(added)
    this.#options.published(newest)
  }

  /** Says in the list that nothing more will come, after what is being published now. */
  async end(): Promise<void> {
    const turn = this.#turn.then(() => this.#end())
    this.#turn = turn.catch(() => {})
    await turn
  }

  async #end(): Promise<void> {
    const { timeline, log, save, ended } = this.#options
    if (this.#shown === undefined || this.#shown.ended === true) return
    timeline.end()
    log.info('stream ended')
    await save()
    this.#show()
    ended()
  }

  /** After an idle time the list starts again, behind what it held. */
  resume(): void {
    this.#options.timeline.resume(this.#options.clock.now())
    this.refresh()
    this.#show()
  }

  /** Lets go of what may no longer be asked for. */
  refresh(): void {
    const { timeline, inits, shelf, dvr, clock } = this.#options
    const listed = timeline.snapshot()?.tail ?? []
    const retired = timeline.retired()
    shelf.keep(listed, retired, clock.now())
    inits.keepOnly([...initsOf([...listed, ...retired]), ...(dvr?.inits() ?? [])])
  }

  async #append(source: SourceName, fragment: FetchedFragment): Promise<Segment | undefined> {
    const { timeline, log, skipped } = this.#options
    const facts = factsOf(source, fragment)
    if (this.#changesForm(facts))
      timeline.unlist(Number.POSITIVE_INFINITY, this.#options.clock.now())
    try {
      const placement = timeline.place(facts)
      if (placement.kind === 'append') return await this.#commit(fragment, placement.segment)
      log.debug('fragment not listed', { fragment: String(facts.number), why: placement.kind })
    } catch (error) {
      // Absurd times, or no room for its bytes: a gap, rather than the end of the stream.
      skipped(source, facts.number, error)
    }
    return undefined
  }

  /**
   * One list cannot hold segments with and without an init segment: EXT-X-MAP has no end (RFC 8216,
   * 4.3.2.5). Where upstream begins to encrypt MPEG-TS, the list begins anew.
   */
  #changesForm({ tracks }: FragmentFacts): boolean {
    const last = this.#options.timeline.snapshot()?.tail.at(-1)
    return RENDITIONS.some((name) => {
      const [before, now] = [last?.tracks[name], tracks[name]]
      return before !== undefined && now !== undefined && hasInit(before) !== hasInit(now)
    })
  }

  async #commit(fragment: FetchedFragment, draft: SegmentDraft): Promise<Segment> {
    const { timeline, inits, shelf } = this.#options
    const stored = new Map(
      fragment.tracks.map((track) => [track.rendition, storedTrack(track, draft)]),
    )
    // In one go: nobody else may take the room in between.
    fragment.release?.()
    await shelf.put(draft.msn, stored)
    for (const { rendition, facts, initBytes } of fragment.tracks) {
      inits.add(rendition, facts.init.id, initBytes)
    }
    const published = [...stored].map(
      ([rendition, { id, bytes }]) => [rendition, { id, bytes: bytes.length }] as const,
    )
    return timeline.commit(draft, Object.fromEntries(published))
  }

  #show(): void {
    this.#shown = this.#options.timeline.snapshot()
  }

  #report(added: readonly Segment[]): void {
    const { stream, counters, log, timeline } = this.#options
    for (const segment of added) {
      counters.published(stream, segment)
      if (segment.discontinuity !== undefined) {
        counters.discontinuity(stream, segment.discontinuity)
        log.info('discontinuity', { cause: segment.discontinuity, msn: segment.msn })
      }
      if (!timeline.isOverlong(segment)) continue
      counters.overlongFragments.add({ stream })
      log.warn('fragment longer than the target duration', {
        msn: segment.msn,
        durationMs: segment.durationMs,
      })
    }
  }
}

function factsOf(
  source: SourceName,
  { listed, timeBase, receivedMs, tracks }: FetchedFragment,
): FragmentFacts {
  return {
    source,
    number: listed.number,
    timeBase,
    startMs: listed.startMs,
    estimatedMs: listed.estimatedMs,
    breaks: listed.discontinuity === 'splice',
    receivedMs,
    tracks: Object.fromEntries(tracks.map(({ rendition, facts }) => [rendition, facts])),
  }
}

function endOf({ listed }: FetchedFragment): number | undefined {
  return listed.startMs === undefined ? undefined : listed.startMs + listed.durationS * 1_000
}

function hasInit({ opaque }: Pick<SegmentTrack, 'opaque'>): boolean {
  return opaque === undefined || opaque.container === 'm4s'
}

function storedTrack(track: FetchedTrack, { msn, tracks }: SegmentDraft): StoredTrack {
  const baseTicks = tracks[track.rendition]?.baseTicks
  if (baseTicks === undefined) throw new RangeError(`no place for the ${track.rendition} track`)
  const isUnread = track.facts.opaque !== undefined
  const bytes = isUnread
    ? track.bytes
    : rewriteMedia(track.bytes, { baseTicks, sequenceNumber: msn })
  return { id: contentId(bytes), bytes }
}
