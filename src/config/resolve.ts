import type { Config, SourceConfig, StreamConfig } from './config.ts'
import type { ConfigFile, DynamicStreamEntry, StreamEntry } from './schema.ts'

/** What is left of the file once `defaults` are merged into its streams. */
export interface MergedStreams {
  readonly streams: Readonly<Record<string, StreamEntry>>
  readonly dynamicStreams: readonly DynamicStreamEntry[]
}

/** Turns the file's mapping of streams into a list, and what it writes in several ways into one. */
export function resolve(
  { defaults: _defaults, ...file }: ConfigFile,
  merged: MergedStreams,
): Config {
  const { endpoint } = file.aws
  return {
    ...file,
    // Without a slash at its end, because the SDK would double it.
    aws: { ...file.aws, endpoint: endpoint?.replace(/\/+$/, '') },
    streams: Object.entries(merged.streams).map(([name, entry]) => stream(name, entry)),
    dynamicStreams: merged.dynamicStreams.map(({ match, ...entry }) => ({
      match: new RegExp(match, 'u'),
      ...entry,
    })),
  }
}

function stream(name: string, { kvs, hls, backup, ...viewing }: StreamEntry): StreamConfig {
  return {
    name,
    source: source(name, { kvs, hls }),
    backup: backup && { ...backup, kvs: { kind: 'kvs', ...backup.kvs } },
    ...viewing,
  }
}

function source(name: string, { kvs, hls }: Pick<StreamEntry, 'kvs' | 'hls'>): SourceConfig {
  if (kvs !== undefined) return { kind: 'kvs', ...kvs }
  // The schema has refused a stream with neither.
  if (hls === undefined) throw new Error(`stream ${name} has no source`)
  return { kind: 'hls', ...hls }
}
