import { about } from '../base/log.ts'
import type { StreamConfig } from '../config/config.ts'
import { logKeeperEvent } from '../sources/session-log.ts'
import type { LiveSource } from '../sources/source-selection.ts'
import type { StreamSource } from '../sources/stream-source.ts'
import { StreamTrouble } from '../sources/trouble.ts'
import { LiveStream, type LiveStreamOptions } from '../streams/live-stream.ts'
import type { OperatedStream } from '../streams/operated-stream.ts'
import { OwnerFeed } from '../streams/owner-feed.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import { SessionKeeper } from '../upstream/session-keeper.ts'
import { openArchives, openHeldArchives } from './open-archives.ts'
import type { Parts } from './parts.ts'
import { storedPast } from './stored-past.ts'
import { type Upstream, upstreamOf } from './upstream-of.ts'

export interface OpenedStream extends OperatedStream {
  readonly feed: OwnerFeed
  /** Lets go of all that it holds, but not of where its numbering stands. Only once it has stopped. */
  discard(): Promise<void>
}

/** A configured stream, idle, with what an earlier process saved of it. */
export async function openStream(config: StreamConfig, parts: Parts): Promise<OpenedStream> {
  const { name, backup, slateFile, minTargetDurationMs } = config
  const log = about(parts.log, { stream: name })
  // Sources and feed, and feed and stream, know each other: the first of each pair learns of the second late.
  let longestFragmentMs = (): number => 0
  let troubled = (_source: LiveSource): void => {}
  let changed = (): void => {}
  const open = (upstream: Upstream, as: LiveSource): StreamSource =>
    openSource(upstream, {
      parts: { ...parts, log: as === 'camera' ? log : about(log, { source: as }) },
      stream: name,
      longestFragmentMs: () => longestFragmentMs(),
      troubled: () => troubled(as),
    })
  const upstream = upstreamOf(name, config.source, parts)
  const feed = await OwnerFeed.open(
    {
      ...parts,
      ...config,
      stream: name,
      log,
      camera: open(upstream, 'camera'),
      backup:
        backup === undefined ? undefined : open(upstreamOf(name, backup.kvs, parts), 'backup'),
      returnAfterMs: backup?.returnAfterMs ?? 0,
      past: upstream.kvs === null ? undefined : storedPast({ name, ...upstream.kvs }, parts),
      slateMovie: slateFile === undefined ? undefined : parts.slates.get(slateFile),
      targetDurationFloorS: () => Math.max(minTargetDurationMs / 1000, upstream.targetDurationS()),
    },
    () => changed(),
  )
  const options = {
    ...config,
    clock: parts.clock,
    log,
    openArchives: archivesOf(config, upstream, parts),
    idleTimeoutMs: config.activation === 'always' ? undefined : config.idleTimeoutMs,
    keepsArchive: upstream.kvs !== null,
  }
  const stream = new LiveStream(name, feed, options)
  changed = () => stream.update()
  troubled = (source) => {
    feed.sources.troubled(source)
    stream.update()
  }
  longestFragmentMs = () => (feed.snapshot()?.targetDuration ?? 0) * 1000
  const discard = (): Promise<void> => {
    feed.discard()
    if (upstream.kvs !== null) parts.quotas.release(upstream.kvs.source)
    return Promise.resolve()
  }
  return { stream, feed, sources: feed.sources, activation: config.activation, discard }
}

/** KVS keeps an archive. Of other origins there is what the stream itself holds. */
function archivesOf(
  config: StreamConfig,
  { kvs }: Upstream,
  parts: Parts,
): LiveStreamOptions['openArchives'] {
  const limits = { maxMs: config.maxArchiveMs, maxClipMs: config.maxClipMs }
  if (kvs !== null) return openArchives({ name: config.name, ...kvs }, limits, parts)
  return config.dvrMs === 0 ? undefined : openHeldArchives(limits, parts)
}

/** What a source takes from its stream. */
interface SourceParts {
  readonly parts: Parts
  readonly stream: string
  readonly longestFragmentMs: () => number
  readonly troubled: () => void
}

function openSource(upstream: Upstream, context: SourceParts): StreamSource {
  const { parts, stream, longestFragmentMs } = context
  const trouble = new StreamTrouble(parts.log, context.troubled)
  const windowMs = (): number => upstream.fragmentResults * longestFragmentMs()
  const keeper = openKeeper(stream, { windowMs, trouble, upstream }, parts)
  return { keeper, trouble, quota: upstream.kvs?.quota ?? null }
}

/** What a source's keeper shares with the rest of the source. */
interface KeeperParts {
  readonly windowMs: () => number
  readonly trouble: StreamTrouble
  readonly upstream: Upstream
}

function openKeeper(
  name: string,
  { windowMs, trouble, upstream }: KeeperParts,
  parts: Parts,
): SessionKeeper {
  const { clock, random, counters, log } = parts
  const observer: UpstreamObserver = {
    ...counters.upstreamObserver(name),
    failed: (error) => trouble.attempt(error),
  }
  return new SessionKeeper({
    clock,
    random,
    windowMs,
    open: (signal) => upstream.open(observer, signal),
    onEvent: (event) => {
      if (event.kind === 'rolled_over') {
        counters.sessionRollovers.add({ stream: name, cause: event.cause })
      }
      logKeeperEvent(log, event)
    },
  })
}
