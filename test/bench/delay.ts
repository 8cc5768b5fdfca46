import { Agent } from 'undici'
import { systemClock } from '../../src/base/clock.ts'
import { httpGet } from '../proof/http-get.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { parseMultivariantPlaylist } from '../proof/multivariant-playlist.ts'
import { cameraOf, type Product, startProduct } from '../proof/product.ts'
import { percentile } from '../proof/statistics.ts'
import { type BenchReport, table } from './bench-report.ts'

export interface DelayOptions {
  /** How long to watch, in seconds. Default 60. */
  readonly seconds?: number
}

const STREAM = 'entrance'
/** How closely the playlist is watched: the error of each value, always upwards. */
const POLL_MS = 5
/** Producer times of one fragment here and there differ by rounding and absorbed jitter only. */
const SAME_FRAGMENT_MS = 60

interface Sighting {
  readonly startMs: number
  readonly seenMs: number
}

/**
 * The delay that the gateway adds: from the instant at which a fragment is listed upstream to the instant at
 * which our playlist lists it.
 *
 * The emulator's record says when a fragment became visible in its playlists. A client asks for our video
 * playlist every 5 ms, with If-None-Match, and notes when each segment first shows. Both clocks are this
 * machine's. A fragment is recognised by its start time (EXT-X-PROGRAM-DATE-TIME). What is in between: the
 * gateway's wait until its next poll, that poll, fetching both tracks, verifying and publishing.
 */
export async function run({ seconds = 60 }: DelayOptions = {}): Promise<BenchReport> {
  const product = await startProduct({
    cameras: { [STREAM]: { clip: 'av-360p' } },
    defaults: { activation: 'always' },
  })
  try {
    const delays = await addedDelays(product, STREAM, seconds)
    const row = {
      fragments: delays.length,
      'p50 ms': percentile(delays, 0.5),
      'p95 ms': percentile(delays, 0.95),
      'max ms': Math.max(...delays),
    }
    return { name: 'delay', what: 'fragment listed by KVS until listed by us', rows: [row] }
  } finally {
    await product.stop()
  }
}

/** Of each fragment of a stream that is listed within these seconds, in milliseconds. */
export async function addedDelays(
  product: Product,
  stream: string,
  seconds: number,
): Promise<readonly number[]> {
  const { seen, listed } = await watch(product, stream, seconds)
  return seen.flatMap(({ startMs, seenMs }) => {
    const listedAtMs = nearest(listed, startMs)
    return listedAtMs === undefined ? [] : [seenMs - listedAtMs]
  })
}

/** Watches playlist and record side by side: the emulator remembers its recent fragments only. */
async function watch(
  product: Product,
  stream: string,
  seconds: number,
): Promise<{ seen: readonly Sighting[]; listed: ReadonlyMap<number, number> }> {
  const end = AbortSignal.timeout(seconds * 1000)
  const listed = new Map<number, number>()
  const [seen] = await Promise.all([
    watchPlaylist(product.watchUrl(stream), end),
    untilAborted(end, 1_000, async () => {
      for (const fragment of await product.control.fragments(cameraOf(stream))) {
        listed.set(fragment.producerMs, fragment.listedAtMs)
      }
    }),
  ])
  return { seen, listed }
}

async function watchPlaylist(watchUrl: string, end: AbortSignal): Promise<readonly Sighting[]> {
  const agent = new Agent({ connections: 1, pipelining: 1 })
  const never = new AbortController().signal
  const master = await httpGet(agent, new URL(watchUrl), { keep: true, signal: never })
  const [video] = parseMultivariantPlaylist(master.body.toString()).renditions
  const url = new URL(video?.uri ?? '', watchUrl)
  const seen = new Map<number, Sighting>()
  let etag = ''
  await untilAborted(end, POLL_MS, async () => {
    const headers = etag === '' ? {} : { 'if-none-match': etag }
    const answer = await httpGet(agent, url, { headers, keep: true, signal: never })
    if (answer.status !== 200) return
    const first = etag === ''
    etag = answer.headers['etag'] ?? ''
    const seenMs = Date.now()
    for (const { msn, pdtMs } of parseMediaPlaylist(answer.body.toString()).segments) {
      // What was there at the first look came some time before it.
      if (seen.has(msn) || pdtMs === undefined) continue
      seen.set(msn, { startMs: first ? Number.NaN : pdtMs, seenMs })
    }
  })
  await agent.destroy()
  return [...seen.values()].filter(({ startMs }) => !Number.isNaN(startMs))
}

async function untilAborted(
  signal: AbortSignal,
  everyMs: number,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work()
    await systemClock.sleep(everyMs, signal).catch(() => {})
  }
}

function nearest(listed: ReadonlyMap<number, number>, startMs: number): number | undefined {
  return [...listed].find(([producerMs]) => Math.abs(producerMs - startMs) <= SAME_FRAGMENT_MS)?.[1]
}

if (import.meta.main) console.log(table(await run()))
