import { systemClock } from '../../src/base/clock.ts'
import { Balancer } from '../proof/balancer.ts'
import { getTwice } from '../proof/get-twice.ts'
import { Nodes } from '../proof/nodes.ts'
import { seededRandom } from '../proof/seeded-random.ts'
import { welcome } from './arrivals.ts'
import { Audience } from './audience.ts'
import { SOAK_CAMERAS, SOAK_PATTERNS, SOAK_STREAMS, soakEntries } from './cameras.ts'
import { Excuses } from './excuses.ts'
import { gatherTotals, gatherUpstream } from './gather.ts'
import { MemoryWatch } from './memory-watch.ts'
import { NodeMonitors } from './node-monitors.ts'
import { NodeTrouble } from './node-trouble.ts'
import { OwnPauses } from './own-pauses.ts'
import type { SoakReport } from './report.ts'
import { progress, type SoakOptions, WARM_UP_MS } from './soak.ts'

export interface NodesSoakOptions extends SoakOptions {
  readonly nodes: number
  /** The first so many of the soak's streams. */
  readonly streams: number
}

const SHOWN_MS = 180_000
const clock = systemClock

/**
 * Runs several nodes behind a balancer, of which one is killed, stopped or held every half minute, and reports what viewers
 * and monitors saw. Cameras and KVS are well: whatever is seen is the nodes' own.
 */
export async function soakNodes(options: NodesSoakOptions): Promise<SoakReport> {
  const { minutes, viewers, seed, log } = options
  const streams = SOAK_STREAMS.slice(0, options.streams)
  log(`starting emulator, Redis and ${options.nodes} nodes; ${minutes} minutes, seed ${seed}`)
  await using balancer = await Balancer.start()
  await using nodes = await Nodes.start({
    cameras: SOAK_CAMERAS,
    streams: [],
    count: options.nodes,
    // The wild origin is this gateway's entrance, without anything wild.
    entries: () => soakEntries(balancer.url, `${balancer.url}/hls/entrance/master.m3u8`, streams),
    dynamicStreams: SOAK_PATTERNS,
    defaults: { activation: 'always', kvs: { expires: '5m' } },
  })
  const names = streams.map(({ name }) => name)
  for (const [name, node] of nodes.nodes) balancer.add(name, node.url)
  log('waiting until each node shows every stream')
  for (const node of nodes.nodes.values()) {
    for (const name of names) await shown(node.watchUrl(name), options.signal)
  }
  const end = AbortSignal.any([options.signal, AbortSignal.timeout(minutes * 60_000)])
  const startedMs = clock.now()
  const monitors = new NodeMonitors(names, end)
  for (const [name, node] of nodes.nodes) monitors.come(name, node)
  const excuses = new Excuses()
  const pauses = new OwnPauses(clock)
  const audience = new Audience(excuses, pauses, log)
  const memory = new MemoryWatch(() => nodes.redis.usage(), clock)
  const trouble = new NodeTrouble({
    clock,
    random: seededRandom(seed),
    signal: end,
    nodes,
    balancer,
    monitors,
    streams: names,
    excuses,
    log,
  })
  const watchUrl = (stream: string): string => `${balancer.url}/hls/${stream}/master.m3u8`
  const seats = { watchUrl, get: getTwice, manyNodes: true, streams }
  await Promise.all([
    memory.run(end),
    pauses.run(end),
    trouble.run(),
    welcome({ product: seats, audience, clock, seed, signal: end }, viewers),
    progress(log, () => monitors.reports(), audience, end),
  ])
  await monitors.ended()
  const all = [...nodes.nodes.values()]
  const [first] = all
  if (first === undefined) throw new Error('no node is left')
  const asked = { control: nodes.emulator.control, admin: first.admin }
  return {
    ranMs: clock.now() - startedMs,
    seed,
    gatewayRunning: all.length === options.nodes && all.every(({ process }) => process.running),
    gatewayLines: all.flatMap(({ process }) => process.lines),
    monitors: monitors.reports(),
    audience: audience.report(),
    longestOwnPauseMs: pauses.longestMs,
    troubles: Object.fromEntries(trouble.counts),
    troubleFailures: trouble.failures,
    upstream: await gatherUpstream(asked, streams, log),
    totals: await gatherTotals(asked),
    memory: [['Redis: used', memory.report(WARM_UP_MS)]],
  }
}

/** Many sources that start at once on a busy machine take their time, which is not what is judged here. */
async function shown(url: string, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(SHOWN_MS)])
  for (;;) {
    const answer = await fetch(url, { signal })
    await answer.body?.cancel()
    if (answer.status === 200) return
    await clock.sleep(1_000, signal)
  }
}
