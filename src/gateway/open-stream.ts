import { about } from '../base/log.ts'
import type { KvsSourceConfig, StreamConfig } from '../config/config.ts'
import { LiveStream } from '../streams/live-stream.ts'
import type { OperatedStream } from '../streams/operations.ts'
import { OwnerFeed } from '../streams/owner-feed.ts'
import { logKeeperEvent } from '../streams/session-log.ts'
import { StreamTrouble } from '../streams/trouble.ts'
import { openSession } from '../upstream/hls-session.ts'
import type { KvsSource } from '../upstream/kvs-source.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import type { StreamQuota } from '../upstream/quota.ts'
import { SessionKeeper } from '../upstream/session-keeper.ts'
import type { Parts } from './parts.ts'

export interface OpenedStream extends OperatedStream {
  readonly feed: OwnerFeed
}

/** A configured stream, idle, with what an earlier process saved of it. */
export async function openStream(config: StreamConfig, parts: Parts): Promise<OpenedStream> {
  const { name, source } = config
  if (source.kind !== 'kvs') throw new TypeError(`${name}: a source of kind ${source.kind}`)
  const log = about(parts.log, { stream: name })
  // Feed and keeper, and feed and stream, know each other: the first of each pair learns of the second late.
  let longestFragmentMs = (): number => 0
  let changed = (): void => {}
  const windowMs = (): number => source.fragmentResults * longestFragmentMs()
  const kvs = kvsSource(source)
  const quota = parts.quotas.of(kvs)
  const trouble = new StreamTrouble(log, () => changed())
  const keeper = openKeeper(name, kvs, { windowMs, trouble, quota }, { ...parts, log })
  const feed = await OwnerFeed.open(
    {
      ...parts,
      stream: name,
      log,
      keeper,
      trouble,
      window: config.window,
      targetDurationFloorS: config.minTargetDurationMs / 1000,
    },
    () => changed(),
  )
  const options = {
    ...config,
    clock: parts.clock,
    log,
    idleTimeoutMs: config.activation === 'always' ? undefined : config.idleTimeoutMs,
  }
  const stream = new LiveStream(name, feed, options)
  changed = () => stream.update()
  longestFragmentMs = () => (feed.snapshot()?.targetDuration ?? 0) * 1000
  return { stream, feed, keeper, quota, activation: config.activation }
}

function kvsSource({ streamName, streamArn, ...settings }: KvsSourceConfig): KvsSource {
  if (streamArn !== undefined) return { ...settings, streamArn }
  if (streamName !== undefined) return { ...settings, streamName }
  throw new TypeError('a KVS source without a stream')
}

/** What a stream's keeper shares with the rest of the stream. */
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
