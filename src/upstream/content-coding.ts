import {
  brotliDecompressSync,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib'

type Unpack = (packed: Buffer, options: { readonly maxOutputLength: number }) => Buffer

const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
  deflate: inflate,
}

/**
 * The codings that exist and that we cannot take off. Every other unknown name is none: `utf-8`, `none`, `aws-chunked`.
 */
const UNREADABLE: ReadonlySet<string> = new Set([
  'compress',
  'x-compress',
  'dcb',
  'dcz',
  'exi',
  'pack200-gzip',
])

/**
 * Names the codings of a body in the order in which they were applied, from its Content-Encoding. RFC 9110, 8.4:
 * names are case-insensitive; `identity` should not be there, but is. What is no coding at all is a server's mistake
 * (a charset, the framing of an upload that a store has kept as metadata) that says nothing of the bytes.
 * @throws RangeError on a coding that exists and that we cannot take off
 */
export function contentCodings(header: string | undefined): readonly string[] {
  const names = (header ?? '').split(',').map((name) => name.trim().toLowerCase())
  const unreadable = names.find((name) => UNREADABLE.has(name))
  if (unreadable !== undefined) throw new RangeError(`the body is in the coding ${unreadable}`)
  return names.filter((name) => Object.hasOwn(UNPACK, name))
}

/** Takes the codings off, the last one first. @throws what zlib throws when the bytes are not so packed, or too many */
export function unpack(body: Buffer, codings: readonly string[], maxBytes: number): Buffer {
  return codings.reduceRight(
    (bytes, name) => UNPACK[name]?.(bytes, { maxOutputLength: maxBytes }) ?? bytes,
    body,
  )
}

/** Inflates `deflate`, which is in the zlib format (RFC 9110, 8.4.1.2), but some send it bare. */
function inflate(packed: Buffer, options: { readonly maxOutputLength: number }): Buffer {
  const isZlib =
    packed.length >= 2 && (packed[0] ?? 0) % 16 === 8 && packed.readUInt16BE(0) % 31 === 0
  return isZlib ? inflateSync(packed, options) : inflateRawSync(packed, options)
}
