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
