import { about } from '../base/log.ts'
import type { KvsSourceConfig, SourceConfig, StreamConfig } from '../config/config.ts'
import { LiveStream, type LiveStreamOptions } from '../streams/live-stream.ts'
import type { OperatedStream } from '../streams/operations.ts'
import { OwnerFeed } from '../streams/owner-feed.ts'
import { logKeeperEvent } from '../streams/session-log.ts'
import type { LiveSource } from '../streams/source-selection.ts'
import type { StreamSource } from '../streams/stream-source.ts'
import { StreamTrouble } from '../streams/trouble.ts'
import { openSession } from '../upstream/hls-session.ts'
import type { KvsSource } from '../upstream/kvs-source.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import type { StreamQuota } from '../upstream/quota.ts'
import { SessionKeeper } from '../upstream/session-keeper.ts'
import { openArchives } from './open-archives.ts'
import type { Parts } from './parts.ts'

export interface OpenedStream extends OperatedStream {
  readonly feed: OwnerFeed
}

/** A configured stream, idle, with what an earlier process saved of it. */
export async function openStream(config: StreamConfig, parts: Parts): Promise<OpenedStream> {
  const { name, backup, minTargetDurationMs } = config
  const log = about(parts.log, { stream: name })
  // Sources and feed, and feed and stream, know each other: the first of each pair learns of the second late.
  let longestFragmentMs = (): number => 0
  let troubled = (_source: LiveSource): void => {}
  let changed = (): void => {}
  const open = (source: SourceConfig, as: LiveSource): StreamSource =>
    openSource(source, {
      parts: { ...parts, log: as === 'camera' ? log : about(log, { source: as }) },
      stream: name,
      longestFragmentMs: () => longestFragmentMs(),
      troubled: () => troubled(as),
    })
  const camera = open(config.source, 'camera')
  const feed = await OwnerFeed.open(
    {
      ...parts,
      ...config,
      stream: name,
      log,
      camera,
      backup: backup === undefined ? undefined : open(backup.kvs, 'backup'),
      returnAfterMs: backup?.returnAfterMs ?? 0,
      targetDurationFloorS: minTargetDurationMs / 1000,
    },
    () => changed(),
  )
  const options = {
    ...config,
    clock: parts.clock,
    log,
    ...archivesOf(config, camera, parts),
    idleTimeoutMs: config.activation === 'always' ? undefined : config.idleTimeoutMs,
  }
  const stream = new LiveStream(name, feed, options)
  changed = () => stream.update()
  troubled = (source) => {
    feed.sources.troubled(source)
    stream.update()
  }
  longestFragmentMs = () => (feed.snapshot()?.targetDuration ?? 0) * 1000
  return { stream, feed, sources: feed.sources, activation: config.activation }
}

/** KVS keeps an archive; other origins do not. */
function archivesOf(
  { name, source, maxArchiveMs }: StreamConfig,
  { quota }: StreamSource,
  parts: Parts,
): Pick<LiveStreamOptions, 'openArchives'> {
  if (source.kind !== 'kvs') return {}
  const past = { name, source: kvsSource(source), quota, maxMs: maxArchiveMs }
  return { openArchives: openArchives(past, parts) }
}

/** What a source takes from its stream. */
interface SourceParts {
  readonly parts: Parts
  readonly stream: string
  readonly longestFragmentMs: () => number
  readonly troubled: () => void
}

function openSource(source: SourceConfig, context: SourceParts): StreamSource {
  if (source.kind !== 'kvs') throw new TypeError(`a source of kind ${source.kind}`)
  const { parts, stream, longestFragmentMs } = context
  const kvs = kvsSource(source)
  const quota = parts.quotas.of(kvs)
  const trouble = new StreamTrouble(parts.log, context.troubled)
  const windowMs = (): number => source.fragmentResults * longestFragmentMs()
  return { quota, trouble, keeper: openKeeper(stream, kvs, { windowMs, trouble, quota }, parts) }
}

function kvsSource({ streamName, streamArn, ...settings }: KvsSourceConfig): KvsSource {
  if (streamArn !== undefined) return { ...settings, streamArn }
  if (streamName !== undefined) return { ...settings, streamName }
  throw new TypeError('a KVS source without a stream')
}

/** What a source's keeper shares with the rest of the source. */
interface KeeperParts {
  readonly windowMs: () => number
  readonly trouble: StreamTrouble
  readonly quota: StreamQuota
}

function openKeeper(
  name: string,
  source: KvsSource,
  { windowMs, trouble, quota }: KeeperParts,
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
    open: (signal) => openSession({ ...parts, quota, observer }, source, signal),
    onEvent: (event) => {
      if (event.kind === 'rolled_over') {
        counters.sessionRollovers.add({ stream: name, cause: event.cause })
      }
      logKeeperEvent(log, event)
    },
  })
}
