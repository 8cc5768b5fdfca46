import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Emulator,
  type Gateway,
  type GatewayOptions,
  type ProductOptions,
  startEmulator,
  startGateway,
} from './product.ts'
import { RedisServer } from './redis-server.ts'

export interface NodesOptions extends Omit<GatewayOptions, 'endpoint' | 'streams' | 'redis'> {
  readonly cameras: ProductOptions['cameras']
  readonly count: number
  /** Default: one of each camera. */
  readonly streams?: readonly string[]
}

/** What one node has for itself. */
export interface NodeOptions extends Pick<GatewayOptions, 'clockS' | 'port' | 'reusePort'> {
  /** Left out: Redis's own. */
  readonly redisUrl?: string
}

export interface Asked {
  readonly status: number
  /** The header fields, but for those that differ with each answer. */
  readonly head: Readonly<Record<string, string>>
  readonly text: string
}

const ASK_MS = 20_000
/** How long to wait for what has to come. */
const COME_MS = 240_000
const STEP_MS = 200

/** Several gateways that are one, their Redis and the emulator, each in a process of its own. */
export class Nodes implements AsyncDisposable {
  readonly emulator: Emulator
  redis: RedisServer
  /** Those that run, by the names that they were given. */
  readonly nodes = new Map<string, Gateway>()
  readonly #options: NodesOptions

  private constructor(options: NodesOptions, emulator: Emulator, redis: RedisServer) {
    this.#options = options
    this.emulator = emulator
    this.redis = redis
  }

  static async start(options: NodesOptions): Promise<Nodes> {
    const [emulator, redis] = await Promise.all([
      startEmulator(options.cameras),
      RedisServer.start(),
    ])
    const nodes = new Nodes(options, emulator, redis)
    try {
      const names = Array.from({ length: options.count }, (_, i) => `node-${i}`)
      await Promise.all(names.map((name) => nodes.add(name)))
      return nodes
    } catch (error) {
      await nodes[Symbol.asyncDispose]()
      throw error
    }
  }

  get(name: string): Gateway {
    const node = this.nodes.get(name)
    if (node === undefined) throw new RangeError(`no node ${name}`)
    return node
  }

  /** Asks all nodes, or these, for the same at the same time. */
  ask(path: string, names: readonly string[] = [...this.nodes.keys()]): Promise<readonly Asked[]> {
    return Promise.all(
      names.map(async (name) => {
        const answer = await fetch(this.get(name).url + path, {
          signal: AbortSignal.timeout(ASK_MS),
        })
        const { 'x-request-id': _id, date: _date, ...head } = Object.fromEntries(answer.headers)
        const text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
        return { status: answer.status, head, text }
      }),
    )
  }

  /** Asks a node's admin listener. */
  async api(name: string, path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(ASK_MS)
    return (await fetch(this.get(name).adminUrl + path, { signal })).json()
  }

  /** Posts to a node's admin listener. */
  async order(name: string, path: string): Promise<void> {
    const options = { method: 'POST', signal: AbortSignal.timeout(ASK_MS) }
    const answer = await fetch(this.get(name).adminUrl + path, options)
    if (answer.status !== 202) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  }

  /** The newest MSN that each node lists; 0 where there is none. */
  async newest(stream: string, names?: readonly string[]): Promise<readonly number[]> {
    const answers = await this.ask(`/hls/${stream}/video.m3u8`, names)
    return answers.map(({ text }) => Number(/.*\/(\d+)-/s.exec(text)?.[1] ?? 0))
  }

  /** Waits until so many segments more are listed everywhere. */
  async grown(stream: string, by: number, names?: readonly string[]): Promise<void> {
    const before = Math.max(...(await this.newest(stream, names)))
    await untilCome(`${by} segments more of ${stream}`, async () => {
      const newest = await this.newest(stream, names)
      return Math.min(...newest) >= before + by ? newest : undefined
    })
  }

  /** The owner of a stream, as this node has it, or the first one. */
  async owner(stream: string, name = this.nodes.keys().next().value ?? ''): Promise<string | null> {
    const status = await this.api(name, `/api/v1/streams/${stream}`)
    return (status as { owner: string | null }).owner
  }

  /** Waits until all nodes have the same owner. */
  agreedOwner(stream: string): Promise<string> {
    return untilCome(`one owner of ${stream}`, async () => {
      const names = [...this.nodes.keys()]
      const told = new Set(await Promise.all(names.map((name) => this.owner(stream, name))))
      const [owner] = told
      return told.size === 1 ? (owner ?? undefined) : undefined
    })
  }

  async add(
    name: string,
    { redisUrl = this.redis.url, ...own }: NodeOptions = {},
  ): Promise<Gateway> {
    const { cameras, count: _count, streams = Object.keys(cameras), ...options } = this.#options
    const node = await startGateway({
      ...options,
      ...own,
      endpoint: this.emulator.endpoint,
      streams,
      redis: { url: redisUrl, node: name },
    })
    this.nodes.set(name, node)
    return node
  }

  /** Starts a Redis that knows nothing, where the one before was. */
  async renewRedis(): Promise<void> {
    this.redis = await RedisServer.start({ port: this.redis.port })
  }

  /** Ends a node as a crash would, or as its operator does. */
  async end(name: string, how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const node = this.get(name)
    this.nodes.delete(name)
    if (how === 'SIGKILL') process.kill(node.process.pid, how)
    await node.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Array.from(this.nodes.values(), (node) => node.stop()))
    await this.redis.kill()
    await this.emulator.stop()
  }
}

async function untilCome<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const signal = AbortSignal.timeout(COME_MS)
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (signal.aborted) throw new Error(`${what} did not come`)
    await sleep(STEP_MS)
  }
}
