import type {
  BackupConfig,
  Config,
  DynamicStreamConfig,
  KvsSettings,
  KvsSourceConfig,
  SourceConfig,
  StreamConfig,
  ViewingConfig,
} from './config.ts'
import type { ConfigFile, DynamicStreamEntry, StreamEntry } from './schema.ts'

/** What is left of the file once `defaults` are merged into its streams. */
export interface MergedStreams {
  readonly streams: Readonly<Record<string, StreamEntry>>
  readonly dynamicStreams: readonly DynamicStreamEntry[]
}

/** From the file's words to the program's. */
export function resolve(file: ConfigFile, merged: MergedStreams): Config {
  return {
    server: {
      host: file.server.host,
      port: file.server.port,
      drainDelayMs: file.server.drainDelay,
    },
    limits: { connections: file.limits.connections },
    admin: { ...file.admin, token: file.admin.token },
    aws: {
      region: file.aws.region,
      endpoint: file.aws.endpoint?.replace(/\/+$/, ''),
      quotaShare: file.aws.quotaShare,
    },
    cache: {
      maxBytes: file.cache.maxBytes,
      dir: file.cache.dir,
      dirMaxBytes: file.cache.dirMaxBytes,
    },
    redis: { url: file.redis.url },
    log: file.log,
    streams: Object.entries(merged.streams).map(([name, entry]) => stream(name, entry)),
    dynamicStreams: merged.dynamicStreams.map(dynamicStream),
    auth: file.auth,
  }
}

function stream(name: string, entry: StreamEntry): StreamConfig {
  return { name, source: source(name, entry), backup: backup(entry), ...viewing(entry) }
}

function backup({ backup: entry }: StreamEntry): BackupConfig | undefined {
  if (entry === undefined) return undefined
  return { kvs: kvsSource(entry.kvs), returnAfterMs: entry.returnAfter }
}

function source(name: string, { kvs, hls }: StreamEntry): SourceConfig {
  if (kvs !== undefined) return kvsSource(kvs)
  // The schema has refused a stream with neither.
  if (hls === undefined) throw new Error(`stream ${name} has no source`)
  return { kind: 'hls', url: hls.url, headers: hls.headers }
}

function kvsSource(kvs: NonNullable<StreamEntry['kvs']>): KvsSourceConfig {
  const { streamName, streamArn } = kvs
  return { kind: 'kvs', streamName, streamArn, ...kvsSettings(kvs) }
}

function dynamicStream(entry: DynamicStreamEntry): DynamicStreamConfig {
  return {
    match: new RegExp(entry.match, 'u'),
    max: entry.max,
    absentForMs: entry.absentFor,
    kvs: { streamName: entry.kvs.streamName, ...kvsSettings(entry.kvs) },
    ...viewing(entry),
  }
}

function kvsSettings(
  kvs: DynamicStreamEntry['kvs'] | NonNullable<StreamEntry['kvs']>,
): KvsSettings {
  return {
    region: kvs.region,
    roleArn: kvs.roleArn,
    externalId: kvs.externalId,
    fragmentSelectorType: kvs.fragmentSelectorType,
    containerFormat: kvs.containerFormat,
    discontinuityMode: kvs.discontinuityMode,
    expiresMs: kvs.expires,
    fragmentResults: kvs.fragmentResults,
  }
}

function viewing(entry: StreamEntry | DynamicStreamEntry): ViewingConfig {
  return {
    activation: entry.activation,
    idleTimeoutMs: entry.idleTimeout,
    startTimeoutMs: entry.startTimeout,
    window: entry.window,
    minTargetDurationMs: entry.minTargetDuration,
    dvrMs: entry.dvr,
    dvrBackfill: entry.dvrBackfill,
    onSignalLoss: entry.onSignalLoss,
    signalLossAfterMs: entry.signalLossAfter,
    slateFile: entry.slateFile,
    maxArchiveMs: entry.maxArchive,
    maxClipMs: entry.maxClip,
    outputs: entry.outputs,
  }
}
