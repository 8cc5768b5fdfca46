import { about, type Log } from '../base/log.ts'
import type { StreamConfig } from '../config/config.ts'
import { Publisher } from '../publish/publisher.ts'
import { logKeeperEvent } from '../sources/session-log.ts'
import type { KeeperUse, SourceParts } from '../sources/source.ts'
import type { LiveSource } from '../sources/source-selection.ts'
import { Sources } from '../sources/sources.ts'
import { LiveStream, type LiveStreamOptions } from '../streams/live-stream.ts'
import { ALONE } from '../streams/ownership.ts'
import { sessionMark } from '../streams/session-mark.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import { SessionKeeper } from '../upstream/session-keeper.ts'
import { openArchives, openHeldArchives } from './open-archives.ts'
import type { Shared } from './shared.ts'
import { storedPast } from './stored-past.ts'
import { type Upstream, upstreamOf } from './upstream-of.ts'

/**
 * Opens a configured stream, idle, with what an earlier process saved of it.
 * @param discarded called when all that it held was let go of; given for a stream that exists by pattern
 */
export async function openStream(
  config: StreamConfig,
  shared: Shared,
  discarded?: () => void,
): Promise<LiveStream> {
  const { name, slateFile, activation, idleTimeoutMs, startTimeoutMs } = config
  const { clock, random, counters } = shared
  const { signalLossAfterMs, onSignalLoss, failAfterMs, window } = config
  const log = about(shared.log, { stream: name })
  const upstream = upstreamOf(name, config.source, shared)
  const { kvs } = upstream
  if (kvs !== null) counters.price(name, kvs.usdPerGb)
  const sources = new Sources({
    stream: name,
    clock,
    random,
    log,
    counters,
    camera: sourceParts(name, 'camera', upstream, log, shared),
    backup: config.backup && backupParts(name, config.backup, log, shared),
    returnAfterMs: config.backup?.returnAfterMs ?? 0,
    signalLossAfterMs,
    window,
    showsSlate: onSignalLoss === 'slate',
    slateMovie: slateFile === undefined ? undefined : shared.slates.get(slateFile),
  })
  const publisher = await openPublisher(config, upstream, sources, log, shared)
  const past = kvs === null ? undefined : storedPast({ name, ...kvs }, shared)
  // A stream that is configured every node has; one by pattern, those that were asked for it.
  const isEverywhere = discarded === undefined
  const stream = new LiveStream({
    name,
    clock,
    log,
    sources,
    publisher,
    ownership: shared.cluster?.ownership(name, isEverywhere, () => stream.take()) ?? ALONE,
    backfill: past && publisher.backfill(past, config.dvrBackfill),
    openArchives: archivesOf(config, upstream, shared),
    keepsArchive: kvs !== null,
    activation,
    idleTimeoutMs,
    startTimeoutMs,
    signalLossAfterMs,
    onSignalLoss,
    failAfterMs,
    running: counters.running,
    awoken: (tookMs) => counters.distributions.firstPlaylist.observe(tookMs / 1_000),
    discarded: () => {
      if (kvs !== null) shared.quotas.release(kvs.source)
      shared.cluster?.forget(name)
      discarded?.()
    },
  })
  return stream
}

function openPublisher(
  { name, window, minTargetDurationMs, dvrMs }: StreamConfig,
  upstream: Upstream,
  sources: Sources,
  log: Log,
  { clock, counters, store, cache, saved, journals, peers }: Shared,
): Promise<Publisher> {
  return Publisher.open({
    stream: name,
    clock,
    log,
    counters,
    dvrMs,
    timeline: {
      window,
      targetDurationFloorS: () => Math.max(minTargetDurationMs / 1000, upstream.targetDurationS()),
    },
    stores: { memory: store, cache, timelines: saved, journals },
    refetch: (...segment) => peers?.segment(name, ...segment) ?? sources.fetchAgain(...segment),
  })
}

/** Opens a stream's archives: KVS keeps one. Of other origins there is what the stream itself holds. */
function archivesOf(
  config: StreamConfig,
  { kvs }: Upstream,
  shared: Shared,
): LiveStreamOptions['openArchives'] {
  const limits = { maxMs: config.maxArchiveMs, maxClipMs: config.maxClipMs }
  if (kvs !== null) return openArchives({ name: config.name, ...kvs }, limits, shared)
  return config.dvrMs === 0 ? undefined : openHeldArchives(limits, shared)
}

function backupParts(
  stream: string,
  { kvs }: NonNullable<StreamConfig['backup']>,
  log: Log,
  shared: Shared,
): SourceParts {
  return sourceParts(
    stream,
    'backup',
    upstreamOf(stream, kvs, shared),
    about(log, { source: 'backup' }),
    shared,
  )
}

/** @param stream the public name */
function sourceParts(
  stream: string,
  source: LiveSource,
  upstream: Upstream,
  log: Log,
  shared: Shared,
): SourceParts {
  const { clock, random, counters, histories } = shared
  const openKeeper = ({ failed, longestFragmentMs }: KeeperUse): SessionKeeper => {
    const calls = counters.upstreamObserver(stream, upstream.kvs?.usdPerGb)
    const observer: UpstreamObserver = { ...calls, failed }
    return new SessionKeeper({
      clock,
      random,
      windowMs: () => upstream.fragmentResults * longestFragmentMs(),
      open: (signal) => upstream.open(observer, signal),
      onEvent: (event) => {
        if (event.kind === 'rolled_over') {
          counters.sessionRollovers.add({ stream, cause: event.cause })
        }
        const mark = sessionMark(event, source, clock.now())
        if (mark !== undefined) histories.of(stream).mark(mark)
        logKeeperEvent(log, event)
      },
    })
  }
  return { log, quota: upstream.kvs?.quota ?? null, openKeeper }
}
