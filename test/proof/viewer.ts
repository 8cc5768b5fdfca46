import { Agent } from 'undici'
import type { Clock } from '../../src/base/clock.ts'
import { type Answer, httpGet } from './http-get.ts'
import { type ListedSegment, type MediaPlaylist, parseMediaPlaylist } from './media-playlist.ts'
import { parseMultivariantPlaylist, type Rendition } from './multivariant-playlist.ts'
import { PlayBuffer, type Stall } from './play-buffer.ts'
import { PlaylistMemo } from './playlist-memo.ts'

/** Something that a viewer would notice, or a player would log. */
export interface Incident {
  /** `http-503`, `failed` (reset, cut off, too slow), `playlist` (unreadable), `fell-behind`, `stall`. */
  readonly kind: string
  readonly url: string
  readonly detail: string
  /** Milliseconds since 1970; a stall's beginning. */
  readonly atMs: number
  /** 0 for all but stalls. */
  readonly lastedMs: number
}

export interface ViewerOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onIncident: (incident: Incident) => void
  /** How it asks. Default: once, see {@link httpGet}. */
  readonly get?: typeof httpGet
  /** Called with the time a segment took to arrive whole and the media it holds, in milliseconds. */
  readonly onSegment?: (tookMs: number, durationMs: number) => void
}

export interface ViewerCounts {
  playlists: number
  segments: number
  /** Of bodies, of every kind. */
  bytes: number
}

/** Shorter hitches are the measuring machine's own. */
const STALL_MS = 100
const RETRY_MS = 1_000

const multivariants = new PlaylistMemo(parseMultivariantPlaylist)
const mediaPlaylists = new PlaylistMemo(parseMediaPlaylist)

/**
 * A player reduced to what a server sees and a viewer suffers: playlists at the pace of RFC 8216, 6.3.4,
 * every new segment of every rendition, two keep-alive sockets, and a buffer that can run dry. Bodies are
 * counted and dropped.
 */
export class Viewer {
  readonly #url: URL
  readonly #options: ViewerOptions
  readonly #agent = new Agent({ connections: 2, pipelining: 1 })
  readonly counts: ViewerCounts = { playlists: 0, segments: 0, bytes: 0 }

  constructor(url: string | URL, options: ViewerOptions) {
    this.#url = new URL(url)
    this.#options = options
  }

  /** Watches until the signal aborts, and resolves then. */
  async watch(): Promise<void> {
    const { signal } = this.#options
    try {
      const renditions = await this.#loadRenditions()
      await Promise.all(renditions.map(({ uri }) => this.#play(new URL(uri, this.#url))))
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await this.#agent.destroy()
    }
  }

  async #loadRenditions(): Promise<readonly Rendition[]> {
    for (;;) {
      const answer = await this.#get(this.#url, true)
      const playlist = this.#read(this.#url, answer, multivariants)
      if (playlist !== undefined) return playlist.renditions
      await this.#pause(RETRY_MS)
    }
  }

  async #play(url: URL): Promise<never> {
    const playback: Playback = {
      buffer: new PlayBuffer(),
      waits: { listMs: 0, mediaMs: 0, growthMs: 0 },
      grewMs: this.#options.clock.now(),
      nextMsn: undefined,
      endsMs: undefined,
    }
    let before: MediaPlaylist | undefined
    try {
      for (;;) {
        const startedMs = this.#options.clock.now()
        const answer = await this.#get(url, true)
        playback.waits.listMs = Math.max(playback.waits.listMs, answer?.tookMs ?? 0)
        const playlist = this.#read(url, answer, mediaPlaylists)
        if (playlist !== undefined) await this.#download(url, playlist, playback)
        await this.#pause(startedMs + reloadMs(before, playlist) - this.#options.clock.now())
        before = playlist
      }
    } finally {
      this.#reportStall(url, playback, playback.buffer.stall(this.#options.clock.now()))
    }
  }

  async #download(url: URL, playlist: MediaPlaylist, playback: Playback): Promise<void> {
    const { nextMsn } = playback
    if (nextMsn !== undefined && nextMsn < playlist.mediaSequence) {
      const detail = `wanted ${nextMsn}, the list begins at ${playlist.mediaSequence}`
      this.#incident({ kind: 'fell-behind', url: url.pathname, detail })
    }
    const from = nextMsn ?? firstToPlay(playlist)
    for (const segment of playlist.segments) {
      if (segment.msn < from) continue
      playback.nextMsn = segment.msn + 1
      this.#noteGrowth(playback)
      if (segment.gap) continue
      this.#passHole(segment, playback)
      const stall = await this.#downloadSegment(url, segment, playlist, playback)
      this.#reportStall(url, playback, stall)
    }
  }

  /** A failed download is tried once more, as players do. */
  async #downloadSegment(
    url: URL,
    { uri, durationMs }: ListedSegment,
    { targetDurationS }: MediaPlaylist,
    { buffer, waits }: Playback,
  ): Promise<Stall | undefined> {
    const segmentUrl = new URL(uri, url)
    const answer = (await this.#get(segmentUrl, false)) ?? (await this.#get(segmentUrl, false))
    if (answer === undefined) return undefined
    waits.mediaMs = Math.max(waits.mediaMs, answer.tookMs)
    this.counts.segments += 1
    this.#options.onSegment?.(answer.tookMs, durationMs)
    // Between two reloads a target duration passes: twice that keeps a margin.
    return buffer.add(durationMs, this.#options.clock.now(), 2000 * targetDurationS)
  }

  #passHole({ discontinuity, pdtMs, durationMs }: ListedSegment, playback: Playback): void {
    const { endsMs = pdtMs } = playback
    if (pdtMs === undefined || endsMs === undefined) return
    playback.endsMs = pdtMs + durationMs
    if (!discontinuity || pdtMs <= endsMs) return
    playback.buffer.passHole(pdtMs - endsMs, this.#options.clock.now())
  }

  #read<T>(url: URL, answer: Answer | undefined, memo: PlaylistMemo<T>): T | undefined {
    if (answer === undefined) return undefined
    this.counts.playlists += 1
    try {
      return memo.of(url, answer)
    } catch (error) {
      this.#incident({ kind: 'playlist', url: url.pathname, detail: String(error) })
      return undefined
    }
  }

  /** A whole answer of status 200; anything else is an incident and undefined. */
  async #get(url: URL, keep: boolean): Promise<Answer | undefined> {
    const { signal, get = httpGet } = this.#options
    try {
      const answer = await get(this.#agent, url, { keep, signal })
      this.counts.bytes += answer.length
      if (answer.status === 200) return answer
      this.#incident({ kind: `http-${answer.status}`, url: url.pathname, detail: '' })
    } catch (error) {
      signal.throwIfAborted()
      this.#incident({ kind: 'failed', url: url.pathname, detail: String(error) })
    }
    return undefined
  }

  #noteGrowth(playback: Playback): void {
    const nowMs = this.#options.clock.now()
    const { waits, grewMs } = playback
    waits.growthMs = Math.max(waits.growthMs, nowMs - grewMs)
    playback.grewMs = nowMs
  }

  /** Says with a stall what was waited for longest in the time before, since the stall is seen late. */
  #reportStall(url: URL, { waits }: Playback, stall: Stall | undefined): void {
    if (stall !== undefined && stall.lastedMs >= STALL_MS) {
      const [list, media, growth] = [waits.listMs, waits.mediaMs, waits.growthMs].map(Math.round)
      const detail = `waited for a list ${list} ms, for a segment ${media} ms, for the list to grow ${growth} ms`
      this.#incident({ kind: 'stall', url: url.pathname, detail, ...stall })
    }
    // What was long ago says nothing of the next one.
    for (const what of ['listMs', 'mediaMs', 'growthMs'] as const) waits[what] *= 0.8
  }

  #incident(incident: Pick<Incident, 'kind' | 'url' | 'detail'> & Partial<Incident>): void {
    this.#options.onIncident({ atMs: this.#options.clock.now(), lastedMs: 0, ...incident })
  }

  #pause(ms: number): Promise<void> {
    return this.#options.clock.sleep(Math.max(0, ms), this.#options.signal)
  }
}

interface Playback {
  readonly buffer: PlayBuffer
  /** The longest waits of late, in milliseconds: they fade with each segment. */
  readonly waits: { listMs: number; mediaMs: number; growthMs: number }
  /** When a segment was last seen to be new. */
  grewMs: number
  nextMsn: number | undefined
  /** EXT-X-PROGRAM-DATE-TIME at which the last segment ends. */
  endsMs: number | undefined
}

/** RFC 8216, 6.3.3: not less than three target durations before the end. */
function firstToPlay({ segments, targetDurationS, mediaSequence }: MediaPlaylist): number {
  let aheadMs = 0
  for (const { msn, durationMs } of segments.toReversed()) {
    aheadMs += durationMs
    if (aheadMs >= 3000 * targetDurationS) return msn
  }
  return mediaSequence
}

/** RFC 8216, 6.3.4: a target duration after a change, half of it when nothing changed. */
function reloadMs(before: MediaPlaylist | undefined, now: MediaPlaylist | undefined): number {
  if (now === undefined) return RETRY_MS
  const changed = before?.segments.at(-1)?.msn !== now.segments.at(-1)?.msn
  return now.targetDurationS * (changed ? 1000 : 500)
}
