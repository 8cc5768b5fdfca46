import type { Config, HlsSourceConfig, KvsSourceConfig, StreamConfig } from '../config/config.ts'
import type { StreamUse } from '../trace/trace.ts'
import type { KvsSource } from '../upstream/kvs/kvs-source.ts'
import { SecretUrl } from '../upstream/secret-url.ts'
import type { HlsSubject } from './probe/hls-probe.ts'
import type { KvsSubject } from './probe/kvs-probe.ts'

/** One source to look at. */
export type Subject =
  | {
      readonly kind: 'kvs'
      readonly name: string
      readonly stream: string
      readonly kvs: KvsSubject
    }
  | { readonly kind: 'hls'; readonly name: string; readonly hls: HlsSubject }

/**
 * Returns what to look at: each stream's source, and its backup.
 * @param region that of streams which name none
 */
export function subjectsOf(
  { streams, aws }: Config,
  region: string | undefined,
): readonly Subject[] {
  return streams.flatMap((stream): Subject[] => {
    const { name, source, backup } = stream
    const use = useOf(stream, aws.usdPerGb)
    const first: Subject =
      source.kind === 'kvs'
        ? kvsSubject(name, source, region, use)
        : { kind: 'hls', name, hls: hlsSubject(source, use) }
    if (backup === undefined) return [first]
    return [first, kvsSubject(`${name} (backup)`, backup.kvs, region, use)]
  })
}

/** Says what is not looked at, because nobody can say which names there are. */
export function patternsOf({ dynamicStreams }: Config): readonly string[] {
  return dynamicStreams.map(({ match }) => match.source)
}

function useOf(
  { activation, dvrMs, source }: StreamConfig,
  usdPerGb: number | undefined,
): StreamUse {
  const price = usdPerGb === undefined ? {} : { usdPerGb }
  return { always: activation === 'always', dvrMs, archive: source.kind === 'kvs', ...price }
}

function kvsSubject(
  name: string,
  config: KvsSourceConfig,
  region: string | undefined,
  use: StreamUse,
): Subject {
  const source = kvsSource(config)
  const stream = source.streamName ?? source.streamArn.split('/')[1] ?? name
  return { kind: 'kvs', name, stream, kvs: { source, region, use } }
}

function kvsSource({ streamName, streamArn, ...settings }: KvsSourceConfig): KvsSource {
  if (streamArn !== undefined) return { ...settings, streamArn }
  if (streamName !== undefined) return { ...settings, streamName }
  throw new TypeError('a KVS source without a stream')
}

function hlsSubject({ url, headers }: HlsSourceConfig, use: StreamUse): HlsSubject {
  return { source: { url: new SecretUrl(new URL(url)), headers }, use }
}
