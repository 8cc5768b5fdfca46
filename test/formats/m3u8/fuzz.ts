/**
 * The readers of playlists under edits of all that the tests know. The suite runs it for a moment; for longer:
 * `node test/formats/m3u8/fuzz.ts MINUTES [SEED]`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import type { Random } from '../../../src/base/backoff.ts'
import { parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import { PlaylistError } from '../../../src/formats/m3u8/playlist-error.ts'
import { writeMedia } from '../../../src/formats/m3u8/write-media.ts'
import { writeMultivariant } from '../../../src/formats/m3u8/write-multivariant.ts'
import { between, pick, seededRandom } from '../../proof/seeded-random.ts'
import { LOOSE_MEDIA, LOOSE_MULTIVARIANT, MEDIA, MULTIVARIANT } from './corpus.ts'

/** What one reading may take, in CPU milliseconds: a thousand times what a list of this size needs. */
const MAX_READ_MS = 500

const folder = new URL('golden/', import.meta.url)

const CORPUS: readonly string[] = [
  MEDIA,
  MULTIVARIANT,
  ...Object.values(LOOSE_MEDIA),
  ...Object.values(LOOSE_MULTIVARIANT),
  ...readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8')),
]

const WORDS: readonly string[] = [
  '\n',
  '\r',
  '\r\n',
  '"',
  "'",
  ',',
  '=',
  ':',
  '#',
  '#EXT',
  '\0',
  '\uFEFF',
  ' ',
  '{$a}',
  '{$',
  '-1',
  '1e999',
  '99999999999999999999',
  '0x',
  '@',
  '__proto__',
  '\u2028',
  'NaN',
  'é',
  '\uD800',
  '#EXT-X-DEFINE:NAME="a",VALUE="{$a}{$a}"',
  '#EXT-X-DEFINE:QUERYPARAM="q"',
  '#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
  ...CORPUS.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('#')),
]

export interface FuzzReport {
  readonly runs: number
  readonly read: number
  readonly slowestMs: number
}

/**
 * Reads edited playlists until `isOver`.
 * @throws Error with the text that did what no text may do: fail in another way than as a playlist, take long, or be
 * read as what cannot be written, or not be read again as the same
 */
export function fuzz(seed: number, isOver: (runs: number) => boolean): FuzzReport {
  const random = seededRandom(seed)
  let runs = 0
  let read = 0
  let slowestMs = 0
  for (; !isOver(runs); runs += 1) {
    const text = edited(random)
    const startMs = cpuMs()
    try {
      read += readAll(text, between(random, 1, 8))
    } catch (error) {
      throw new Error(`seed ${seed}, run ${runs}: ${JSON.stringify(text)}`, { cause: error })
    }
    const tookMs = cpuMs() - startMs
    slowestMs = Math.max(slowestMs, tookMs)
    if (tookMs > MAX_READ_MS) throw new Error(`${tookMs} ms: ${JSON.stringify(text)}`)
  }
  return { runs, read, slowestMs }
}

function edited(random: Random): string {
  let text = pick(random, CORPUS)
  for (let edits = between(random, 0, 5); edits > 0; edits -= 1) {
    const at = between(random, 0, text.length)
    const cut = between(random, 0, 3) === 0 ? between(random, 0, 199) : between(random, 0, 2)
    const insert = between(random, 0, 2) === 0 ? '' : pick(random, WORDS)
    text =
      text.slice(0, at) +
      insert.repeat(between(random, 0, 19) === 0 ? 200 : 1) +
      text.slice(at + cut)
  }
  return between(random, 0, 3) === 0 ? text.slice(0, between(random, 0, text.length)) : text
}

/** How many of the readers took it. */
function readAll(text: string, newest: number): number {
  const media = unlessRefused(() => parseMedia(text))
  const tail = unlessRefused(() => parseMedia(text, { newest }))
  const multivariant = unlessRefused(() => parseMultivariant(text))
  if (media !== undefined) {
    const written = writeMedia(media)
    if (writeMedia(parseMedia(written)) !== written) throw new Error('a media list changed')
    const last = media.segments.at(-1)
    // Without EXT-X-TARGETDURATION it may be told by a segment that is left out.
    const isRefused =
      tail === undefined && !/(^|[\r\n])[ \t]*#EXT-X-TARGETDURATION[ \t]*:[ \t]*\d/.test(text)
    if (last !== undefined && !isRefused && tail?.segments.at(-1)?.uri !== last.uri)
      throw new Error('another end')
  }
  if (multivariant !== undefined) {
    const written = writeMultivariant(multivariant)
    const again = writeMultivariant(parseMultivariant(written))
    if (again !== written) throw new Error('a multivariant list changed')
  }
  return [media, multivariant].filter((one) => one !== undefined).length
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof PlaylistError) return undefined
    throw error
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

if (import.meta.main) {
  const [minutes = '1', seed = String(Date.now() % 1e6)] = process.argv.slice(2)
  const endMs = performance.now() + Number(minutes) * 60_000
  const report = fuzz(Number(seed), () => performance.now() > endMs)
  const mib = Math.round(process.memoryUsage().rss / 1024 / 1024)
  process.stdout.write(`${JSON.stringify({ seed: Number(seed), ...report, rssMiB: mib })}\n`)
}
