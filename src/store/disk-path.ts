import { createHash } from 'node:crypto'
import { GatewayError } from '../base/errors.ts'
import { type FragmentKey, keyText } from './fragment-key.ts'

const STREAM = /^[A-Za-z0-9_.-]{1,256}$/
/** Matches the name of a published segment, with the content id of its bytes; or a FragmentNumber. */
const FRAGMENT = /^(?:(?:\d{1,16}|init)-([A-Za-z0-9_-]{1,64})|[0-9a-z]{1,64})$/
const FORM = /^[a-z0-9-]{1,40}$/
const FILE = /^([A-Za-z0-9_.-]+?)(?:~([0-9a-f]{16}))?\.m4s$/

/**
 * Where a fragment lies below the cache directory. A published segment's name holds the content id of
 * its bytes, so its file is `7-0123456789abcdef.m4s`; that of any other form tells the id behind a tilde.
 */
export interface DiskPlace {
  /** The relative folder, the same for all of one stream's rendition. */
  readonly folder: string
  /** The file's name up to the tilde or the suffix. */
  readonly name: string
  /** What the bytes must hash to; undefined where only the file's name says so. */
  readonly id: string | undefined
}

/**
 * Finds the place of a key.
 * @throws GatewayError `internal` when the key has another form, as nothing may leave the directory
 */
export function diskPlace(key: FragmentKey): DiskPlace {
  const { stream, rendition, fragment, form } = key
  const [isFragment, id] = FRAGMENT.exec(fragment) ?? []
  const isKey = STREAM.test(stream) && isFragment !== undefined && FORM.test(form)
  if (!isKey || (form === 'published') !== (id !== undefined)) {
    throw new GatewayError('internal', `not a fragment key: ${JSON.stringify(keyText(key))}`)
  }
  const name = form === 'published' ? fragment : `${fragment}.${form}`
  return { folder: `${streamFolder(stream)}/${rendition}`, name, id }
}

/**
 * Names the file of a place.
 * @param id the content id of its bytes
 */
export function fileOf({ name, id: known }: DiskPlace, id: string): string {
  return known === undefined ? `${name}~${id}.m4s` : `${name}.m4s`
}

/** Reads what a file's name says of its place; undefined when it is none of ours. */
export function readFileName(
  file: string,
): { readonly name: string; readonly id: string | undefined } | undefined {
  const [, name, id] = FILE.exec(file) ?? []
  return name === undefined ? undefined : { name, id }
}

/**
 * Names a stream's folder by the readable part of the name and a hash of the whole that tells it from all others,
 * because a stream may be called `..`, and with 256 characters be longer than a file name may be.
 */
export function streamFolder(stream: string): string {
  const readable = stream.replaceAll('.', '_').slice(0, 64)
  const hash = createHash('sha256').update(stream).digest('hex').slice(0, 16)
  return `${readable}~${hash}`
}
