import { asDate, type Clock } from '../base/clock.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { Segment } from '../timeline/fragment.ts'
import { type Histories, POINT_EVERY_MS, type Point } from './history.ts'
import type { LiveStream } from './live-stream.ts'
import type { StreamSet } from './stream-set.ts'

export interface SamplingOptions {
  readonly clock: Clock
  readonly counters: GatewayCounters
  readonly streams: Pick<StreamSet, 'all'>
  readonly histories: Histories
}

/** What had been counted when a stream was looked at last. */
interface Seen {
  readonly atMs: number
  readonly upstream: number
  readonly downstream: number
}

/** Notes how each stream is, all with one timer. Resolves when `signal` aborts. */
export async function sampleStreams(options: SamplingOptions, signal: AbortSignal): Promise<void> {
  const { clock, streams, histories } = options
  const seen = new WeakMap<LiveStream, Seen>()
  for (const stream of streams.all()) seen.set(stream, look(stream, options))
  while (!signal.aborted) {
    await clock.sleep(POINT_EVERY_MS, signal).catch(() => {})
    if (signal.aborted) return
    const names = new Set<string>()
    for (const stream of streams.all()) {
      names.add(stream.name)
      const now = look(stream, options)
      // What a new one counted before, as under an earlier configuration, is none of this span's.
      const before = seen.get(stream) ?? { ...now, atMs: now.atMs - POINT_EVERY_MS }
      histories.of(stream.name).note(now.atMs, pointOf(stream, before, now, clock))
      seen.set(stream, now)
    }
    histories.keepOnly(names)
  }
}

function look({ name }: LiveStream, { clock, counters }: SamplingOptions): Seen {
  return {
    atMs: clock.now(),
    upstream: counters.traffic(name, 'upstream').bytes,
    downstream: counters.traffic(name, 'downstream').bytes,
  }
}

function pointOf(stream: LiveStream, before: Seen, now: Seen, clock: Clock): Point {
  const { state, viewers } = stream
  const perSecond = (from: number, to: number): number =>
    (1000 * Math.max(0, to - from)) / (now.atMs - before.atMs)
  return {
    state,
    viewers,
    ...mediaSince(stream, before.atMs, clock),
    upstreamBytesPerSecond: perSecond(before.upstream, now.upstream),
    downstreamBytesPerSecond: perSecond(before.downstream, now.downstream),
  }
}

/**
 * Tells of the fragments that came since then; of the newest one, if fragments are longer than that, or the stream began since:
 * a first list is of the past.
 */
function mediaSince(
  { state, sinceMs: liveSinceMs, view, newest }: LiveStream,
  sinceMs: number,
  clock: Clock,
): Pick<Point, 'delayMs' | 'bitsPerSecond'> {
  if (state !== 'live' || newest === undefined) {
    return { delayMs: Number.NaN, bitsPerSecond: Number.NaN }
  }
  const listed = view.live?.tail ?? []
  const since = listed.filter(
    ({ source, receivedMs }) => source !== 'slate' && receivedMs > sinceMs,
  )
  const segments = since.length === 0 || liveSinceMs > sinceMs ? [newest] : since
  const delays = segments.map(({ receivedMs, startMs }) => asDate(clock, receivedMs) - startMs)
  return { delayMs: Math.max(...delays), bitsPerSecond: bitrateOf(segments) }
}

function bitrateOf(segments: readonly Segment[]): number {
  const bytes = segments
    .flatMap(({ tracks }) => Object.values(tracks))
    .reduce((sum, track) => sum + track.bytes, 0)
  const durationMs = segments.reduce((sum, segment) => sum + segment.durationMs, 0)
  return durationMs === 0 ? Number.NaN : (8000 * bytes) / durationMs
}
