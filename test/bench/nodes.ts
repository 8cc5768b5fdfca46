import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../proof/free-port.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { Nodes } from '../proof/nodes.ts'
import { processUsage } from '../proof/process-usage.ts'
import { cameraOf } from '../proof/product.ts'
import { infoOf } from '../proof/redis-server.ts'
import { percentile } from '../proof/statistics.ts'
import { type BenchReport, table } from './bench-report.ts'
import { wrk } from './wrk.ts'

export interface NodesBenchOptions {
  /** Of each single run. Default 5. */
  readonly seconds?: number
  /** How many streams followers follow, run by run. Default 1, 10, 100. */
  readonly counts?: readonly number[]
  /** How often an owner is killed. Default 10. */
  readonly kills?: number
  /** How many streams two nodes have when one of them is killed. Default 50. */
  readonly storm?: number
}

const CONNECTIONS = 32
const MEBIBYTE = 2 ** 20
const POLL_MS = 5
/** Of each of many streams, so that asking is no load of its own. */
const STORM_POLL_MS = 100
const READY_MS = 240_000
const CLIP = 'av-360p'

/**
 * Several processes as one gateway: what two serve on one port, what a follower costs in Redis, how long a stream stands still
 * when its owner is killed, alone and with many others, and how much later than its owner a follower lists a fragment. Redis and emulator are on the same
 * machine, and take of its cores what they need.
 */
export async function run({
  seconds = 5,
  counts = [1, 10, 100],
  kills = 10,
  storm = 50,
}: NodesBenchOptions = {}): Promise<BenchReport> {
  const rows: BenchReport['rows'][number][] = []
  for (const processes of [1, 2]) rows.push(...(await serving(processes, seconds)))
  for (const count of counts) rows.push(...(await following(count, seconds)))
  rows.push(...(await failingOver(kills)))
  rows.push(...(await storming(storm)))
  return { name: 'nodes', what: 'several processes as one gateway, on one machine', rows }
}

/** What processes that share a port serve; whoever asks runs on the same cores. */
async function serving(processes: number, seconds: number): Promise<BenchReport['rows']> {
  await using nodes = await start(1, 0)
  const port = await freePort()
  for (let i = 0; i < processes; i += 1) await nodes.add(`node-${i}`, { port, reusePort: true })
  await untilLive(nodes, ['s0'])
  const list = `http://127.0.0.1:${port}/hls/s0/video.m3u8`
  const newest = parseMediaPlaylist(await text(list)).segments.at(-1)
  const fragment = new URL(newest?.uri ?? '', list)
  const bytes = Number((await fetch(fragment, { method: 'HEAD' })).headers.get('content-length'))
  const load = { core: 1, seconds, connections: CONNECTIONS }
  const lists = await wrk(list, load)
  const fragments = await wrk(fragment.href, load)
  const usages = await Promise.all(
    [...nodes.nodes.values()].map(({ process }) => processUsage(process.pid)),
  )
  const rss = usages.reduce((sum, { rssBytes }) => sum + rssBytes, 0)
  const of = `${processes} ${processes === 1 ? 'process' : 'processes'} on one port`
  return [
    row(of, 'playlists a second', lists),
    row(of, `GB a second, fragments of ${Math.round(bytes / 1024)} KiB`, (fragments * bytes) / 1e9),
    row(of, 'MiB resident', rss / MEBIBYTE),
  ]
}

/** What one follower more costs in Redis, and how much later than the owner it lists a fragment. */
async function following(count: number, seconds: number): Promise<BenchReport['rows']> {
  await using nodes = await start(count, 1)
  const streams = Array.from({ length: count }, (_, i) => `s${i}`)
  await untilLive(nodes, streams)
  const alone = await traffic(nodes, seconds)
  await nodes.add('node-1')
  await untilLive(nodes, streams)
  const both = await traffic(nodes, seconds)
  const delays = await behind(nodes, seconds)
  const of = `a follower of ${count} ${count === 1 ? 'stream' : 'streams'}`
  return [
    row(of, 'bytes a second from Redis', both.out - alone.out),
    row(of, 'bytes a second to Redis', both.in - alone.in),
    row(of, 'commands a second', both.commands - alone.commands),
    row(of, 'ms behind the owner, p50', percentile(delays, 0.5)),
    row(of, 'ms behind the owner, p95', percentile(delays, 0.95)),
  ]
}

/** From the owner's death to the next fragment that another node lists. */
async function failingOver(kills: number): Promise<BenchReport['rows']> {
  await using nodes = await start(1, 3)
  const tookMs: number[] = []
  for (let i = 0; i < kills; i += 1) {
    await untilLive(nodes, ['s0'])
    const owner = await nodes.agreedOwner('s0')
    const [other = ''] = [...nodes.nodes.keys()].filter((name) => name !== owner)
    // At once after a fragment, the next one is a whole fragment away: so it is at any time.
    await sleep(Math.random() * 1_000)
    const before = await newestOf(nodes, other)
    const killedMs = performance.now()
    const ended = nodes.end(owner, 'SIGKILL')
    const signal = AbortSignal.timeout(READY_MS)
    while ((await newestOf(nodes, other)) <= before) await sleep(POLL_MS, undefined, { signal })
    tookMs.push(performance.now() - killedMs)
    await ended
    await nodes.add(owner)
  }
  const of = 'kill -9 of the owner until the next fragment'
  return [row(of, 'ms, p50', percentile(tookMs, 0.5)), row(of, 'ms, p95', percentile(tookMs, 0.95))]
}

/** From the death of one of two nodes until the other one has taken all of its streams, and what KVS had to refuse of that (G9). */
async function storming(count: number): Promise<BenchReport['rows']> {
  await using nodes = await start(count, 2)
  const streams = Array.from({ length: count }, (_, i) => `s${i}`)
  await untilLive(nodes, streams)
  const lost = (await shares(nodes)).filter(({ owner }) => owner === 'node-0')
  const killedMs = performance.now()
  const ended = nodes.end('node-0', 'SIGKILL')
  const tookMs = await Promise.all(
    lost.map(async ({ name }) => {
      const before = await newestOf(nodes, 'node-1', name)
      const signal = AbortSignal.timeout(READY_MS)
      while ((await newestOf(nodes, 'node-1', name)) <= before) {
        await sleep(STORM_POLL_MS, undefined, { signal })
      }
      return performance.now() - killedMs
    }),
  )
  await ended
  const counters = await Promise.all(
    streams.map((name) => nodes.emulator.control.counters(cameraOf(name))),
  )
  const refused = counters.reduce((sum, { quotaViolations }) => sum + quotaViolations, 0)
  const sessions = Math.max(...counters.map(({ sessionsAtOnce }) => sessionsAtOnce))
  const of = `kill -9 of a node with ${lost.length} of ${count} streams`
  return [
    row(of, 'ms until the next fragment, p50', percentile(tookMs, 0.5)),
    row(of, 'ms until the next fragment, p95', percentile(tookMs, 0.95)),
    row(of, 'calls beyond quotas', refused),
    row(of, 'sessions a stream at once, most', sessions),
  ]
}

interface Share {
  readonly name: string
  readonly owner: string | null
}

/** Which node has which stream, once all have one. */
async function shares(nodes: Nodes): Promise<readonly Share[]> {
  const signal = AbortSignal.timeout(READY_MS)
  for (;;) {
    const { streams } = (await nodes.api('node-1', '/api/v1/streams')) as {
      streams: readonly Share[]
    }
    const owners = new Set(streams.map(({ owner }) => owner))
    if (owners.size === 2 && !owners.has(null)) return streams
    await sleep(500, undefined, { signal })
  }
}

function start(streams: number, count: number): Promise<Nodes> {
  const names = Array.from({ length: streams }, (_, i) => `s${i}`)
  const cameras = Object.fromEntries(names.map((name) => [name, { clip: CLIP }]))
  return Nodes.start({ cameras, count, defaults: { activation: 'always' } })
}

/** Waits until every node shows every stream. */
async function untilLive(nodes: Nodes, streams: readonly string[]): Promise<void> {
  const signal = AbortSignal.timeout(READY_MS)
  for (const node of nodes.nodes.values()) {
    for (const stream of streams) {
      while (!(await fetch(node.watchUrl(stream), { signal })).ok) {
        await sleep(500, undefined, { signal })
      }
    }
  }
}

interface Traffic {
  readonly in: number
  readonly out: number
  readonly commands: number
}

/** What went through Redis, each second. */
async function traffic({ redis }: Nodes, seconds: number): Promise<Traffic> {
  const before = await redis.ask('INFO', 'stats')
  const startedMs = performance.now()
  await sleep(seconds * 1_000)
  const after = await redis.ask('INFO', 'stats')
  const passedS = (performance.now() - startedMs) / 1_000
  const of = (name: string): number => (infoOf(after, name) - infoOf(before, name)) / passedS
  return {
    in: of('total_net_input_bytes'),
    out: of('total_net_output_bytes'),
    commands: of('total_commands_processed'),
  }
}

/** By how much each fragment of the first stream is listed later than by its owner. */
async function behind(nodes: Nodes, seconds: number): Promise<readonly number[]> {
  const owner = await nodes.agreedOwner('s0')
  const [other = ''] = [...nodes.nodes.keys()].filter((name) => name !== owner)
  const end = AbortSignal.timeout(seconds * 1_000)
  const [first, then] = await Promise.all([
    sightings(nodes, owner, end),
    sightings(nodes, other, end),
  ])
  return [...then].flatMap(([msn, atMs]) => {
    const ownersMs = first.get(msn)
    return ownersMs === undefined ? [] : [atMs - ownersMs]
  })
}

/** When a node was first seen to list each fragment, but for what it listed at first. */
async function sightings(
  nodes: Nodes,
  name: string,
  end: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const seen = new Map<number, number>()
  let newest = await newestOf(nodes, name)
  while (!end.aborted) {
    const msn = await newestOf(nodes, name)
    if (msn > newest) seen.set(msn, performance.now())
    newest = msn
    await sleep(POLL_MS)
  }
  return seen
}

async function newestOf(nodes: Nodes, name: string, stream = 's0'): Promise<number> {
  const list = parseMediaPlaylist(await text(`${nodes.get(name).url}/hls/${stream}/video.m3u8`))
  return list.segments.at(-1)?.msn ?? 0
}

async function text(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(READY_MS) })
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`)
  return answer.text()
}

function row(of: string, what: string, value: number): BenchReport['rows'][number] {
  return { of, what, value }
}

if (import.meta.main) console.log(table(await run()))
