import { createHash } from 'node:crypto'
import { about } from '../base/log.ts'
import type { HlsSourceConfig, KvsSourceConfig, SourceConfig } from '../config/config.ts'
import type { ForetoldLengths } from '../upstream/foretold-lengths.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import { openKvsSession } from '../upstream/kvs/kvs-session.ts'
import { type KvsSource, regionOf } from '../upstream/kvs/kvs-source.ts'
import { RecordedLengths } from '../upstream/kvs/recorded-lengths.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import { CookieJar } from '../upstream/origin/cookie-jar.ts'
import type { OriginKey } from '../upstream/origin/origin-keys.ts'
import { OriginQuota } from '../upstream/origin/origin-quota.ts'
import { OriginRun } from '../upstream/origin/origin-run.ts'
import { openOriginSession } from '../upstream/origin/origin-session.ts'
import { SecretUrl } from '../upstream/secret-url.ts'
import type { KvsUse } from './kvs-use.ts'
import type { Shared } from './shared.ts'
import { storedPast } from './stored-past.ts'

/** Says where a source's sessions come from, whatever kind of source it is. */
export interface Upstream {
  /** Names it, alike for all that give the same fragments, and tells nothing of it. */
  readonly origin: string
  open(observer: UpstreamObserver, signal: AbortSignal): Promise<HlsSession>
  /** How many fragments its playlists list; 0 where sessions do not expire. */
  readonly fragmentResults: number
  /** What KVS knows it by, and what we may ask of it; null for other origins. */
  readonly kvs: KvsUse | null
  readonly lengths: ForetoldLengths
}

/**
 * Finds where a source's sessions come from.
 * @param stream the public name
 */
export function upstreamOf(stream: string, source: SourceConfig, shared: Shared): Upstream {
  return source.kind === 'kvs'
    ? kvsUpstream(stream, source, shared)
    : originUpstream(stream, source, shared)
}

function kvsUpstream(stream: string, config: KvsSourceConfig, shared: Shared): Upstream {
  const source = kvsSource(config)
  const quota = shared.quotas.of(source)
  const kvs = { source, quota, usdPerGb: shared.prices.hlsUsdPerGb(regionOf(source)) }
  const log = about(shared.log, { stream })
  const past = storedPast({ name: stream, ...kvs }, shared)
  return {
    origin: nameOf(shared.quotas.nameOf(source), config.fragmentSelectorType),
    fragmentResults: config.fragmentResults,
    kvs,
    lengths: new RecordedLengths({ clock: shared.clock, log, past }),
    open: (observer, signal) => openKvsSession({ ...shared, quota, observer }, source, signal),
  }
}

function kvsSource({ streamName, streamArn, ...settings }: KvsSourceConfig): KvsSource {
  if (streamArn !== undefined) return { ...settings, streamArn }
  if (streamName !== undefined) return { ...settings, streamName }
  throw new TypeError('a KVS source without a stream')
}

function originUpstream(
  stream: string,
  { url, headers, sound }: HlsSourceConfig,
  shared: Shared,
): Upstream {
  const { clock, originKeys } = shared
  const source = { url: new SecretUrl(new URL(url)), headers, sound }
  // What outlives sessions: which numbers mean what, and how much we ask.
  const run = new OriginRun(clock)
  const nameKey = (key: OriginKey): string => originKeys.add(stream, key)
  const lasting = { run, nameKey, quota: new OriginQuota(clock), cookies: new CookieJar(clock) }
  return {
    origin: nameOf(url),
    fragmentResults: 0,
    kvs: null,
    lengths: saidBy(run),
    open: (observer, signal) =>
      openOriginSession({ ...shared, ...lasting, observer }, source, signal),
  }
}

function nameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

/** Returns what an origin's own list says: it is bound by that as we are by ours. */
function saidBy(run: OriginRun): ForetoldLengths {
  return {
    get targetDurationS() {
      return run.targetDurationS
    },
    get isSure() {
      return run.targetDurationS > 0
    },
    longestMs: 0,
    ask: () => {},
    settled: () => Promise.resolve(),
  }
}
