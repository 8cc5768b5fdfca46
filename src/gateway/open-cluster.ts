import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { parseRedisUrl } from '../base/redis-url.ts'
import { packageVersion } from '../base/version.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Config } from '../config/config.ts'
import { applyFact, factBetween } from '../publish/stream-fact.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'
import { appendVia, moreVia, renewVia } from './ask-peer.ts'

export interface ClusterParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Reaches the other nodes. */
  readonly agent: UpstreamAgent
}

/**
 * Makes this process one of the nodes that share a Redis; undefined where it is the only one, which need not have the
 * client in memory.
 */
export async function openCluster(
  { redis }: Config,
  { clock, random, log, agent }: ClusterParts,
): Promise<Cluster | undefined> {
  if (redis.url === undefined) return undefined
  const address = parseRedisUrl(redis.url)
  if (address === undefined) throw new TypeError('redis.url is none')
  const name = redis.node ?? hostname()
  const startedMs = clock.date()
  const { Cluster } = await import('../cluster/cluster.ts')
  return new Cluster({
    clock,
    random,
    log,
    address,
    prefix: redis.prefix,
    maxStreamBytes: redis.streamMaxBytes,
    // Also where two processes are called the same by mistake.
    node: `${name.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}-${randomBytes(6).toString('hex')}`,
    facts: () => ({ name, version: packageVersion(), startedMs }),
    differences: { difference: factBetween, apply: applyFact },
    viaPeer: (peer, beat) => renewVia({ agent, clock }, peer, beat),
    appendVia: (peer, append) => appendVia({ agent, clock }, peer, append),
    viaOwner: (peer, ...more) => moreVia({ agent, clock }, peer, ...more),
    onNode: (event, node) => log.info(`node ${event}`, { node: node.name }),
  })
}
