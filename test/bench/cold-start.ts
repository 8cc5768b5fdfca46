import { Agent } from 'undici'
import { httpGet } from '../proof/http-get.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { parseMultivariantPlaylist } from '../proof/multivariant-playlist.ts'
import { type Product, startProduct } from '../proof/product.ts'
import { percentile } from '../proof/statistics.ts'
import { type BenchReport, table } from './bench-report.ts'

export interface ColdStartOptions {
  /** Streams started, one after the other. Default 20. */
  readonly streams?: number
}

interface Start {
  readonly playlistMs: number
  readonly segmentMs: number
}

/**
 * Time from a request to an idle on-demand stream until the first playlists with media, and until the first
 * segment.
 *
 * Each of the streams has a camera of its own that has been sending all along, and none has been asked for
 * before: the gateway has neither endpoint nor session for it. One viewer asks for the multivariant
 * playlist, the video playlist and its newest segment, one after the other on a new connection. The stream
 * is stopped before the next one starts.
 */
export async function run({ streams = 20 }: ColdStartOptions = {}): Promise<BenchReport> {
  const names = Array.from({ length: streams }, (_, i) => `cold-${i + 1}`)
  const cameras = Object.fromEntries(names.map((name) => [name, { clip: 'av-720p' }]))
  const product = await startProduct({ cameras, defaults: { activation: 'on-demand' } })
  try {
    const starts: Start[] = []
    for (const name of names) {
      starts.push(await start(product, name))
      await product.admin.order(name, 'stop')
    }
    const row = (until: string, values: readonly number[]): Record<string, string | number> => ({
      until,
      'p50 ms': percentile(values, 0.5),
      'p95 ms': percentile(values, 0.95),
      'max ms': Math.max(...values),
    })
    return {
      name: 'cold-start',
      what: `an idle stream’s first viewer, ${streams} times`,
      rows: [
        row(
          'first media playlist',
          starts.map(({ playlistMs }) => playlistMs),
        ),
        row(
          'first segment',
          starts.map(({ segmentMs }) => segmentMs),
        ),
      ],
    }
  } finally {
    await product.stop()
  }
}

async function start(product: Product, stream: string): Promise<Start> {
  const agent = new Agent({ connections: 1, pipelining: 1 })
  const began = performance.now()
  try {
    const master = new URL(product.watchUrl(stream))
    const [video] = parseMultivariantPlaylist(await text(agent, master)).renditions
    const url = new URL(video?.uri ?? '', master)
    const newest = parseMediaPlaylist(await text(agent, url)).segments.at(-1)
    if (newest === undefined) throw new Error(`${stream} answered with an empty playlist`)
    const playlistMs = performance.now() - began
    await text(agent, new URL(newest.uri, url))
    return { playlistMs, segmentMs: performance.now() - began }
  } finally {
    await agent.destroy()
  }
}

async function text(agent: Agent, url: URL): Promise<string> {
  const { signal } = new AbortController()
  const answer = await httpGet(agent, url, { keep: true, signal })
  if (answer.status !== 200) throw new Error(`${url.pathname}: ${answer.status}`)
  return answer.body.toString('latin1')
}

if (import.meta.main) console.log(table(await run()))
