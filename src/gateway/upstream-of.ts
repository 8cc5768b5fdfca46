import { createHash } from 'node:crypto'
import type { HlsSourceConfig, KvsSourceConfig, SourceConfig } from '../config/config.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import { openKvsSession } from '../upstream/kvs/kvs-session.ts'
import { type KvsSource, regionOf } from '../upstream/kvs/kvs-source.ts'
import type { StreamQuota } from '../upstream/kvs/quota.ts'
import type { UpstreamObserver } from '../upstream/observer.ts'
import { CookieJar } from '../upstream/origin/cookie-jar.ts'
import type { OriginKey } from '../upstream/origin/origin-keys.ts'
import { OriginQuota } from '../upstream/origin/origin-quota.ts'
import { OriginRun } from '../upstream/origin/origin-run.ts'
import { openOriginSession } from '../upstream/origin/origin-session.ts'
import { SecretUrl } from '../upstream/secret-url.ts'
import type { Shared } from './shared.ts'

/** A KVS stream, and what reading it takes. */
export interface KvsUse {
  readonly source: KvsSource
  readonly quota: StreamQuota
  /** What a GB of its media costs. */
  readonly usdPerGb: number
}

/** Says where a source's sessions come from, whatever kind of source it is. */
export interface Upstream {
  /** Names it, alike for all that give the same fragments, and tells nothing of it. */
  readonly origin: string
  open(observer: UpstreamObserver, signal: AbortSignal): Promise<HlsSession>
  /** How many fragments its playlists list; 0 where sessions do not expire. */
  readonly fragmentResults: number
  /** What KVS knows it by, and what we may ask of it; null for other origins. */
  readonly kvs: KvsUse | null
  /** The EXT-X-TARGETDURATION of upstream, in seconds, where that says more than its fragments; else 0. */
  targetDurationS(): number
}

/**
 * Finds where a source's sessions come from.
 * @param stream the public name
 */
export function upstreamOf(stream: string, source: SourceConfig, shared: Shared): Upstream {
  return source.kind === 'kvs'
    ? kvsUpstream(source, shared)
    : originUpstream(stream, source, shared)
}

function kvsUpstream(config: KvsSourceConfig, shared: Shared): Upstream {
  const source = kvsSource(config)
  const quota = shared.quotas.of(source)
  return {
    origin: nameOf(shared.quotas.nameOf(source), config.fragmentSelectorType),
    fragmentResults: config.fragmentResults,
    kvs: { source, quota, usdPerGb: shared.prices.hlsUsdPerGb(regionOf(source)) },
    // KVS rounds up what fragments happen to have.
    targetDurationS: () => 0,
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
  { url, headers }: HlsSourceConfig,
  shared: Shared,
): Upstream {
  const { clock, originKeys } = shared
  const source = { url: new SecretUrl(new URL(url)), headers }
  // What outlives sessions: which numbers mean what, and how much we ask.
  const run = new OriginRun(clock)
  const nameKey = (key: OriginKey): string => originKeys.add(stream, key)
  const lasting = { run, nameKey, quota: new OriginQuota(clock), cookies: new CookieJar(clock) }
  return {
    origin: nameOf(url),
    fragmentResults: 0,
    kvs: null,
    targetDurationS: () => run.targetDurationS,
    open: (observer, signal) =>
      openOriginSession({ ...shared, ...lasting, observer }, source, signal),
  }
}

function nameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}
