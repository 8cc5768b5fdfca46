type Mapping = Readonly<Record<string, unknown>>

/**
 * Lays `defaults` under each stream of a file as written, before the schema adds its own defaults:
 * afterwards nobody could tell a value that was given from one that was filled in.
 */
export function mergeDefaults(file: unknown): { streams: Mapping; dynamicStreams: unknown[] } {
  const { defaults, streams, dynamicStreams } = mapping(file)
  const layered = (stream: unknown) => underlay(mapping(defaults), mapping(stream))
  return {
    streams: Object.fromEntries(
      Object.entries(mapping(streams)).map(([name, stream]) => [name, layered(stream)]),
    ),
    dynamicStreams: Array.isArray(dynamicStreams) ? dynamicStreams.map(layered) : [],
  }
}

function underlay({ kvs, hls, ...defaults }: Mapping, stream: Mapping): Mapping {
  const merged = withBackup(kvs, { ...given(defaults), ...given(stream) })
  // A default for one kind of source must not give a stream of the other kind a second source.
  if ('kvs' in merged) return { ...merged, kvs: { ...given(kvs), ...given(merged['kvs']) } }
  if ('hls' in merged) return { ...merged, hls: { ...given(hls), ...given(merged['hls']) } }
  return merged
}

/** Lays what holds for all KVS sources under those of backups, too. */
function withBackup(kvs: unknown, stream: Mapping): Mapping {
  const backup = mapping(stream['backup'])
  if (!('kvs' in backup)) return stream
  return { ...stream, backup: { ...backup, kvs: { ...given(kvs), ...given(backup['kvs']) } } }
}

/** Leaves out what has no value, because `window:` alone does not hide the default. */
function given(value: unknown): Mapping {
  return Object.fromEntries(Object.entries(mapping(value)).filter(([, inner]) => inner !== null))
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {}
}
