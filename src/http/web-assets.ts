import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const compress = promisify(gzip)

/** A file as it goes over the wire, in both encodings. */
export interface WebAsset {
  readonly contentType: string
  readonly identity: EncodedAsset
  /**
   * Returns it compressed, which happens at the first request, because most starts are not for somebody who opens a
   * page.
   */
  gzip(): Promise<EncodedAsset>
}

/** A file in one encoding, with an ETag of its own, because strong ones name bytes. RFC 9110, 8.8.3. */
export interface EncodedAsset {
  readonly body: Buffer
  readonly etag: string
}

export interface WebAssets {
  /** Names the content of all files together: a change to any of them is a new address for each. */
  readonly version: string
  readonly pages: Readonly<Record<PageName, WebAsset>>
  /** Finds a script, style or picture by its file name. */
  file(name: string): WebAsset | undefined
}

export type PageName = 'play' | 'wall' | 'streams' | 'missing'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const PAGES = fileURLToPath(new URL('../web/pages/', import.meta.url))

/** The full build of hls.js, because KVS sound is an alternative audio rendition, which the light build cannot play. */
const HLS_JS = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.mjs')

/**
 * Reads and hashes the pages and hls.js.
 * @throws when a file of the installation is missing
 */
export async function loadWebAssets(): Promise<WebAssets> {
  const sources = await readSources()
  const version = versionOf(sources)
  const files = new Map<string, WebAsset>()
  for (const [name, source] of sources) {
    files.set(name, prepare(name, withVersion(name, source, version)))
  }
  const page = (name: PageName): WebAsset => take(files, `${name}.html`)
  const pages = {
    play: page('play'),
    wall: page('wall'),
    streams: page('streams'),
    missing: page('missing'),
  }
  return { version, pages, file: (name) => files.get(name) }
}

async function readSources(): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(PAGES)).filter((name) => extname(name) in TYPES).sort()
  const sources = new Map<string, Buffer>()
  for (const name of names) sources.set(name, await readFile(join(PAGES, name)))
  return sources.set('hls.mjs', await readFile(HLS_JS))
}

function versionOf(sources: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256')
  for (const [name, body] of sources) hash.update(`${name}\0${body.length}\0`).update(body)
  return hash.digest('base64url').slice(0, 12)
}

/**
 * Puts the version in for `{version}`, under which HTML names its scripts and styles; the modules name each other
 * relatively.
 */
function withVersion(name: string, source: Buffer, version: string): Buffer {
  if (!name.endsWith('.html')) return source
  return Buffer.from(source.toString('utf8').replaceAll('{version}', version))
}

function prepare(name: string, body: Buffer): WebAsset {
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  let zipped: Promise<Buffer> | undefined
  return {
    contentType: TYPES[extname(name)] ?? 'application/octet-stream',
    identity: { body, etag: `"${hash}"` },
    gzip: async () => {
      zipped ??= compress(body, { level: 9 })
      return { body: await zipped, etag: `"${hash}-gzip"` }
    },
  }
}

/**
 * Takes a page out of the files, because pages leave with {@link WebAssets.pages}; only their parts remain addressable
 * by file name.
 */
function take(files: Map<string, WebAsset>, name: string): WebAsset {
  const asset = files.get(name)
  if (asset === undefined) throw new Error(`the installation lacks ${name}`)
  files.delete(name)
  return asset
}
