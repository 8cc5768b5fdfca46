import type { Config, DynamicStreamConfig, StreamConfig } from '../config/config.ts'

/** What says which streams there are. */
export type StreamsConfig = Pick<Config, 'streams' | 'dynamicStreams'>

/** How long a name may be that KVS takes as StreamName. KVS.md, section 6.2. */
const LONGEST_KVS_NAME = 256

/** Finds the configuration of a stream by its name; undefined where it has none. */
export type FindStreamConfig = (name: string) => StreamConfig | undefined

/** Finds streams' configurations: a stream's own, or that of the first pattern which its name matches. */
export function streamConfigs({ streams, dynamicStreams }: StreamsConfig): FindStreamConfig {
  const byName = new Map(streams.map((stream) => [stream.name, stream]))
  return (name) => {
    const entry = dynamicStreams.find((each) => matches(each, name))
    return byName.get(name) ?? (entry && configByPattern(entry, name))
  }
}

/** Says whether a pattern makes a stream of that name. */
export function matches(entry: DynamicStreamConfig, name: string): boolean {
  return entry.match.test(name) && kvsName(entry, name).length <= LONGEST_KVS_NAME
}

function configByPattern(entry: DynamicStreamConfig, name: string): StreamConfig {
  const { match: _match, max: _max, absentForMs: _absentForMs, kvs, ...viewing } = entry
  const streamName = kvsName(entry, name)
  return {
    ...viewing,
    name,
    source: { kind: 'kvs', ...kvs, streamName },
    backup: undefined,
  }
}

function kvsName({ kvs }: DynamicStreamConfig, name: string): string {
  return kvs.streamName.replaceAll('{name}', () => name)
}
