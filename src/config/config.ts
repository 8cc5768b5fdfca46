/**
 * The configuration as the program uses it: complete, checked, units in the names.
 * A key that the operator may leave out and that has no default is undefined here.
 */
export interface Config {
  readonly server: Listener & {
    /** From SIGTERM to the close, serving and unready. */
    readonly drainDelayMs: number
  }
  readonly admin: Listener & { readonly token: string | undefined }
  readonly limits: {
    /** Undefined: what the process's limit of open files leaves. */
    readonly connections: number | undefined
  }
  readonly aws: {
    readonly region: string | undefined
    /** Without a slash at its end: the SDK would double it. */
    readonly endpoint: string | undefined
    /** Of each KVS stream's metadata and media points, what we may use (G9). */
    readonly quotaShare: number
  }
  readonly cache: {
    readonly maxBytes: number
    readonly dir: string | undefined
    /** Of the fragments in `dir`. */
    readonly dirMaxBytes: number
  }
  readonly redis: { readonly url: string | undefined }
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' }
  /** In the file's order; names are unique. */
  readonly streams: readonly StreamConfig[]
  readonly dynamicStreams: readonly DynamicStreamConfig[]
  readonly auth: AuthConfig
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface Listener {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

export interface StreamConfig extends ViewingConfig {
  /** The public name. */
  readonly name: string
  readonly source: SourceConfig
  readonly backup: BackupConfig | undefined
}

export interface BackupConfig {
  readonly kvs: KvsSourceConfig
  readonly returnAfterMs: number
}

/** All that is said of a stream besides its name and source. */
export interface ViewingConfig {
  readonly activation: 'on-demand' | 'always'
  readonly idleTimeoutMs: number
  readonly startTimeoutMs: number
  /** Segments. */
  readonly window: number
  /** Whole seconds, in milliseconds. */
  readonly minTargetDurationMs: number
  /** 0: no DVR. */
  readonly dvrMs: number
  readonly dvrBackfill: boolean
  readonly onSignalLoss: 'hold' | 'slate' | 'fail'
  readonly signalLossAfterMs: number
  /** Undefined: the slate that is built in. */
  readonly slateFile: string | undefined
  readonly maxArchiveMs: number
  readonly maxClipMs: number
  readonly outputs: readonly ('hls' | 'ts' | 'dash')[]
}

export type SourceConfig = KvsSourceConfig | HlsSourceConfig

export interface KvsSourceConfig extends KvsSettings {
  readonly kind: 'kvs'
  /** Exactly one of the two is there. */
  readonly streamName: string | undefined
  readonly streamArn: string | undefined
}

export interface KvsSettings {
  /** Of a stream by name. Undefined: the process's own. */
  readonly region: string | undefined
  readonly roleArn: string | undefined
  readonly externalId: string | undefined
  readonly fragmentSelectorType: 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP'
  readonly containerFormat: 'FRAGMENTED_MP4' | 'MPEG_TS'
  readonly discontinuityMode: 'ON_DISCONTINUITY' | 'ALWAYS' | 'NEVER'
  /** Whole seconds, in milliseconds. */
  readonly expiresMs: number
  /** MaxMediaPlaylistFragmentResults. */
  readonly fragmentResults: number
}

export interface HlsSourceConfig {
  readonly kind: 'hls'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface DynamicStreamConfig extends ViewingConfig {
  readonly match: RegExp
  /** Streams at a time. */
  readonly max: number
  readonly absentForMs: number
  /** Its `streamName` holds `{name}` where the public name goes. */
  readonly kvs: KvsSettings & { readonly streamName: string }
}

export type AuthConfig =
  | { readonly mode: 'none' }
  | { readonly mode: 'cdn-secret'; readonly header: string; readonly secrets: readonly string[] }
  | {
      readonly mode: 'jwt'
      /** Exactly one of the two is there. */
      readonly secret?: string | undefined
      readonly jwksUrl?: string | undefined
      readonly issuer?: string | undefined
      readonly audience?: string | undefined
      readonly cookie?: string | undefined
    }
  | { readonly mode: 'signed-path'; readonly keys: readonly SigningKey[] }

export interface SigningKey {
  readonly id: string
  readonly secret: string
}
