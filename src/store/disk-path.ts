import { createHash } from 'node:crypto'
import { GatewayError } from '../base/errors.ts'
import type { FragmentKey } from './fragment-key.ts'

const KEY = /^([A-Za-z0-9_.-]{1,256})\/(video|audio)\/(\d{1,16}|init)-([A-Za-z0-9_-]{1,64})$/

export interface DiskPath {
  /** Relative folder, the same for all of one stream's rendition. */
  readonly folder: string
  readonly file: string
  /** What the bytes must hash to. */
  readonly id: string
}

/**
 * Where a fragment lies below the cache directory.
 * @throws GatewayError `internal` when the key has another form, as nothing may leave the directory
 */
export function diskPath(key: FragmentKey): DiskPath {
  const [, stream, rendition, name, id] = KEY.exec(key) ?? []
  if (stream === undefined || id === undefined) {
    throw new GatewayError('internal', `not a fragment key: ${JSON.stringify(key)}`)
  }
  return { folder: `${streamFolder(stream)}/${rendition}`, file: `${name}-${id}.m4s`, id }
}

/**
 * A stream may be called `..`, and with 256 characters be longer than a file name may be: so a folder is
 * the readable part of the name, and a hash of the whole that tells it from all others.
 */
export function streamFolder(stream: string): string {
  const readable = stream.replaceAll('.', '_').slice(0, 64)
  const hash = createHash('sha256').update(stream).digest('hex').slice(0, 16)
  return `${readable}~${hash}`
}
