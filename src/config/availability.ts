import type { Config, StreamConfig } from './config.ts'
import { formatKey, type KeyPath } from './fault.ts'

/** A key whose value is right, but whose feature a later version brings. */
export interface NotYet {
  readonly key: KeyPath
  /** The value as configured; undefined where it may hold a secret. */
  readonly value: string | undefined
}

/**
 * Checks for what this version knows but cannot do. It is never ignored, because an authorisation mode that is silently
 * not in force would be worse than none. Building a feature takes its line away.
 */
const PER_STREAM: readonly Feature<StreamConfig>[] = [
  {
    key: ['outputs'],
    used: ({ outputs }) => outputs.some((output) => output !== 'hls'),
    value: ({ outputs }) => outputs.filter((output) => output !== 'hls').join(', '),
  },
]

interface Feature<T> {
  readonly key: KeyPath
  used(config: T): boolean
  value?(config: T): string
}

/** Returns the keys of `config` that this version cannot honour. */
export function notYetAvailable(config: Config): readonly NotYet[] {
  return config.streams.flatMap((stream) => used(PER_STREAM, stream, ['streams', stream.name]))
}

/** Writes `gateway.yaml: streams.lobby.dvr: 2h: not available yet`. */
export function notYetLine(file: string, { key, value }: NotYet): string {
  const parts = [file, formatKey(key), ...(value === undefined ? [] : [value])]
  return `${parts.join(': ')}: not available yet`
}

function used<T>(features: readonly Feature<T>[], config: T, prefix: KeyPath): readonly NotYet[] {
  return features
    .filter((feature) => feature.used(config))
    .map((feature) => ({ key: [...prefix, ...feature.key], value: feature.value?.(config) }))
}
