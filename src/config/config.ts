/**
 * The configuration as the program uses it: checked, complete, and with the names of the file, durations with their unit. What
 * each key means is said in schema.ts.
 */
import type { Auth, AuthMode } from './auth-schema.ts'
import type { ConfigFile, DynamicStreamEntry, StreamEntry } from './schema.ts'

export type Config = Readonly<Omit<ConfigFile, 'defaults' | 'streams' | 'dynamicStreams'>> & {
  /** The streams, in the file's order; names are unique. */
  readonly streams: readonly StreamConfig[]
  readonly dynamicStreams: readonly DynamicStreamConfig[]
}

export type { Auth, AuthMode }

/** Says where to listen; several processes may share the public port. */
export type Listener = Pick<Config['server'], 'host' | 'port'> &
  Partial<Pick<Config['server'], 'reusePort'>>

/** All that is said of a stream besides its name and source. */
export type ViewingConfig = Readonly<Omit<StreamEntry, 'kvs' | 'hls' | 'backup'>>

export interface StreamConfig extends ViewingConfig {
  readonly name: string
  readonly source: SourceConfig
  readonly backup?: BackupConfig | undefined
}

export interface BackupConfig extends Readonly<Omit<NonNullable<StreamEntry['backup']>, 'kvs'>> {
  readonly kvs: KvsSourceConfig
}

export type SourceConfig = KvsSourceConfig | HlsSourceConfig

export interface KvsSourceConfig extends Readonly<NonNullable<StreamEntry['kvs']>> {
  readonly kind: 'kvs'
}

export interface HlsSourceConfig extends Readonly<NonNullable<StreamEntry['hls']>> {
  readonly kind: 'hls'
}

export interface DynamicStreamConfig extends Readonly<Omit<DynamicStreamEntry, 'match'>> {
  readonly match: RegExp
}

export type SigningKey = Extract<AuthMode, { mode: 'signed-path' }>['keys'][number]
