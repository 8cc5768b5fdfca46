import type { Config, DynamicStreamConfig, StreamConfig } from '../config/config.ts'
import type { DynamicEntry } from '../streams/dynamic-streams.ts'
import type { LiveStream } from '../streams/live-stream.ts'
import type { StreamSet } from '../streams/stream-set.ts'
import { OpenStream } from './open-stream.ts'
import type { Shared } from './shared.ts'

/** How long a name may be that KVS takes as StreamName. KVS.md, section 6.2. */
const LONGEST_KVS_NAME = 256

/**
 * How long a stream is kept that nobody watches, because players may pause for so long and find their place again; a
 * DVR window is not forgotten sooner than it is over.
 */
const KEEP_IDLE_MS = 10 * 60_000

/** Says how streams are made by the patterns of `dynamicStreams`. */
export function dynamicEntries(
  { dynamicStreams }: Config,
  shared: Shared,
): readonly DynamicEntry[] {
  return dynamicStreams.map((entry) => ({
    matches: (name) => entry.match.test(name) && kvsName(entry, name).length <= LONGEST_KVS_NAME,
    max: entry.max,
    absentForMs: entry.absentForMs,
    keepIdleMs: Math.max(KEEP_IDLE_MS, entry.dvrMs),
    open: (name) => openDynamic(entry, name, shared),
  }))
}

async function openDynamic(
  entry: DynamicStreamConfig,
  name: string,
  shared: Shared,
): Promise<LiveStream> {
  const { counters } = shared
  counters.share(name, labelOf(entry))
  try {
    const { stream } = await OpenStream.open(streamConfig(entry, name), {
      shared,
      slates: shared.slates,
      isEverywhere: false,
      discarded: () => counters.unshare(name),
    })
    return stream
  } catch (error) {
    counters.unshare(name)
    throw error
  }
}

function streamConfig(entry: DynamicStreamConfig, name: string): StreamConfig {
  const { match: _match, max: _max, absentForMs: _absentForMs, kvs, ...viewing } = entry
  const streamName = kvsName(entry, name)
  return {
    ...viewing,
    name,
    source: { kind: 'kvs', ...kvs, streamName, streamArn: undefined },
    backup: undefined,
  }
}

function kvsName({ kvs }: DynamicStreamConfig, name: string): string {
  return kvs.streamName.replaceAll('{name}', () => name)
}

/** Returns what all its streams are counted under. Slashes are in no stream's name. */
function labelOf({ match }: DynamicStreamConfig): string {
  return `/${match.source}/`
}

/**
 * Opens the streams of which an earlier process saved something, as many as may be, so that what they list can be asked
 * for, and is not cleaned away from the disk.
 */
export async function restoreDynamic(
  streams: StreamSet,
  { saved }: Shared,
): Promise<readonly LiveStream[]> {
  const names = await saved?.names(
    (name) => streams.get(name) === undefined && streams.mayExist(name),
  )
  const restored: LiveStream[] = []
  for (const name of names ?? []) {
    const stream = await streams.dynamic.restore(name)
    if (stream !== undefined) restored.push(stream)
  }
  return restored
}
