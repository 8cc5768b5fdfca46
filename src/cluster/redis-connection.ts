import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { Backoff, type Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { DeadlineError, withDeadline } from '../base/deadline.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { type RedisAddress, showRedis } from '../base/redis-url.ts'
import { ChangeSignal } from '../base/signal.ts'
import { redisClient } from './redis-client.ts'
import { RedisError } from './redis-error.ts'

export interface RedisConnectionOptions {
  readonly address: RedisAddress
  /** What the connection is for: in our log, and in the server's list of clients. */
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How many commands may wait for their replies. Default 1000. */
  readonly maxPending?: number
  /** How many bytes of arguments those may have together. Default 64 MiB. */
  readonly maxPendingBytes?: number
}

/** Bounds the wait for one command. */
export interface Limit {
  readonly signal?: AbortSignal
  /** Default 2 s. */
  readonly deadlineMs?: number
}

/** A Lua script, known to Redis by the hash of its text. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

/** Listens to a channel. */
export interface Subscriber {
  message(text: string): void
  /**
   * Called whenever the subscription begins, at first and after each loss of the connection: what was published until
   * then may have been missed.
   */
  subscribed(): void
}

export type RedisArgument = string | number | Buffer

type Client = Redis | Cluster

/** How long each host of an address may take to bring about a connection, and the server that it names. */
const HOST_MS = 4_000
const COMMAND_MS = 2_000

/** How often a connection that may have nothing else to say proves that it is one. */
const PING_MS = 1_000

const RETRY = { firstMs: 50, maxMs: 2_000 } as const

const never = new AbortController().signal

/** Names a script. */
export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/**
 * Holds a connection to Redis for as long as it runs, and makes a new one whenever it is lost.
 *
 * Nothing waits here for Redis to come back: a command that cannot be sent is refused at once, one that is not answered
 * fails at its deadline, and none is sent twice. What is on its way is bounded until Redis has answered it or the
 * connection has ended, whoever still waits for it (G18). Commands are answered in order, so who moves large values
 * opens a connection of its own; so does who subscribes, because servers that only know RESP2 take nothing else then.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #outage: Outage
  readonly #refusals: Outage
  readonly #changed = new ChangeSignal()
  readonly #channels = new Map<string, Subscriber>()
  #client: Client | undefined
  #pending = 0
  #pendingBytes = 0

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, {
      level: 'warn',
      fails: 'redis is away',
      works: 'redis is back',
    })
    this.#refusals = new Outage(options.log, {
      level: 'error',
      fails: 'redis refuses a subscription',
      works: 'redis takes subscriptions',
    })
  }

  /** Connects, and connects again, until `signal` aborts; rejects with its reason once nothing is open any more. */
  async run(signal: AbortSignal): Promise<never> {
    const { address, name, clock, random } = this.#options
    const details = { redis: showRedis(address), connection: name }
    const backoff = new Backoff(RETRY, random)
    for (;;) {
      const client = await this.#outage.attempt(details, () => this.#open(signal), signal)
      const openMs = clock.now()
      if (client !== undefined) await this.#use(client, signal)
      // One that is thrown out as soon as it is there is to wait longer and longer, too.
      if (client !== undefined && clock.now() - openMs > RETRY.maxMs) backoff.reset()
      await clock.sleep(backoff.next(), signal)
    }
  }

  /** Whether commands can be sent. */
  get ready(): boolean {
    return this.#client !== undefined
  }

  /** Resolves when {@link ready} changes next; rejects with the signal's reason once it aborts. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  async get(key: string, limit?: Limit): Promise<Buffer | undefined> {
    const reply = await this.#send([key], limit, (client) => client.getBuffer(key))
    return reply === null ? undefined : bytesOf(reply)
  }

  /** Reads the bytes of a value from `first` to `last`; none where there is no value, or it is shorter. */
  async getRange(key: string, first: number, last: number, limit?: Limit): Promise<Buffer> {
    return bytesOf(
      await this.#send([key], limit, (client) => client.getrangeBuffer(key, first, last)),
    )
  }

  /** Keeps a value for so many milliseconds. */
  async set(key: string, value: RedisArgument, expiresMs: number, limit?: Limit): Promise<void> {
    await this.#send([key, value], limit, (client) => client.set(key, value, 'PX', expiresMs))
  }

  async delete(keys: readonly string[], limit?: Limit): Promise<void> {
    if (keys.length > 0) await this.#send(keys, limit, (client) => client.unlink(...keys))
  }

  /** Runs a script; what it returns is unchecked, with bulk strings as text. */
  async eval(
    { lua, sha }: Script,
    keys: readonly string[],
    args: readonly RedisArgument[],
    limit?: Limit,
  ): Promise<unknown> {
    const given = [...keys, ...args]
    try {
      return await this.#send(given, limit, (client) => client.evalsha(sha, keys.length, ...given))
    } catch (error) {
      // A server that has restarted, or is another than before, does not know it yet.
      if (!(error instanceof RedisError && error.message.startsWith('NOSCRIPT'))) throw error
    }
    return this.#send([lua, ...given], limit, (client) => client.eval(lua, keys.length, ...given))
  }

  async publish(channel: string, text: string, limit?: Limit): Promise<void> {
    await this.#send([channel, text], limit, (client) => client.publish(channel, text))
  }

  /**
   * Listens to a channel, to which nobody listens yet, across losses of the connection.
   * @returns what ends it
   */
  subscribe(channel: string, subscriber: Subscriber): () => void {
    if (this.#channels.has(channel)) throw new RangeError(`${channel} is listened to already`)
    this.#channels.set(channel, subscriber)
    if (this.#client !== undefined) void this.#join(this.#client, [channel])
    return () => {
      if (this.#channels.get(channel) !== subscriber) return
      this.#channels.delete(channel)
      // Where it fails there is no subscription any more either.
      this.#client?.unsubscribe(channel).catch(() => {})
    }
  }

  async #open(signal: AbortSignal): Promise<Client> {
    const { address, name, clock } = this.#options
    const client = redisClient(address, name)
    let why: unknown
    // It is told there alone; that a connection was closed is all that those who wait are told.
    client.on('error', (error: unknown) => {
      why = error
    })
    client.on('message', (channel: string, text: string) =>
      this.#channels.get(channel)?.message(text),
    )
    try {
      const mostMs = HOST_MS * (address.hosts.length + 1)
      await withDeadline(clock, 'connecting', mostMs, signal, () => client.connect())
      return client
    } catch (error) {
      client.disconnect()
      signal.throwIfAborted()
      throw withoutCommand(why ?? error)
    }
  }

  /** Lets commands use the client until it has ended. */
  async #use(client: Client, signal: AbortSignal): Promise<void> {
    const ended = new AbortController()
    const end = new Promise<void>((resolve) => {
      client.once('end', resolve)
    })
    void end.then(() => ended.abort())
    this.#client = client
    this.#changed.notify()
    const joining = this.#join(client, [...this.#channels.keys()])
    try {
      await this.#prove(client, AbortSignal.any([signal, ended.signal]))
    } catch (error) {
      if (!ended.signal.aborted && !signal.aborted) throw error
    } finally {
      this.#client = undefined
      this.#changed.notify()
      client.disconnect()
      await end
      await joining
    }
    signal.throwIfAborted()
  }

  /** Makes sure that an answer is owed all the time, because silence is then noticed. */
  async #prove(client: Client, signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#options.clock.sleep(PING_MS, signal)
      // A refusal is an answer as well; a loss ends the connection.
      await client.ping().catch(() => {})
    }
  }

  async #join(client: Client, channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return
    const subscribers = channels.map((channel) => this.#channels.get(channel))
    const joined = await this.#refusals.attempt({}, async () => await subscribed(client, channels))
    // It is tried again with the next connection.
    if (joined !== true) {
      client.disconnect()
      return
    }
    for (const [i, channel] of channels.entries()) {
      const subscriber = this.#channels.get(channel)
      if (subscriber === subscribers[i]) subscriber?.subscribed()
    }
  }

  async #send<T>(
    given: readonly RedisArgument[],
    { signal = never, deadlineMs = COMMAND_MS }: Limit = {},
    send: (client: Client) => Promise<T>,
  ): Promise<T> {
    const client = this.#client
    if (client === undefined) throw new RedisError('away', 'Redis is away')
    signal.throwIfAborted()
    const bytes = given.reduce((sum: number, each) => sum + sizeOf(each), 0)
    this.#take(bytes)
    const reply = send(client)
    const give = (): void => {
      this.#pending -= 1
      this.#pendingBytes -= bytes
    }
    reply.then(give, give)
    try {
      const { clock } = this.#options
      return await withDeadline(clock, 'the command', deadlineMs, signal, () => reply)
    } catch (error) {
      signal.throwIfAborted()
      throw withoutCommand(error)
    }
  }

  #take(bytes: number): void {
    const { maxPending = 1_000, maxPendingBytes = 64 * 2 ** 20 } = this.#options
    if (this.#pending >= maxPending || this.#pendingBytes + bytes > maxPendingBytes) {
      throw new RedisError('busy', 'Too much is on its way to Redis')
    }
    this.#pending += 1
    this.#pendingBytes += bytes
  }
}

/** Subscribes; says whether the connection lasted. @throws RedisError when Redis refuses it */
async function subscribed(client: Client, channels: readonly string[]): Promise<boolean> {
  try {
    await client.subscribe(...channels)
    return true
  } catch (error) {
    const failed = withoutCommand(error)
    if (failed.failure === 'refused') throw failed
    return false
  }
}

/** Returns what may be told of a failure of the library's. */
function withoutCommand(error: unknown): RedisError {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DeadlineError) return new RedisError('late', `Redis: ${message}`)
  const isReply = error instanceof Error && error.name === 'ReplyError'
  return new RedisError(isReply ? 'refused' : 'away', message)
}

function bytesOf(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply
  throw new RedisError('refused', `Redis answered with ${typeof reply} instead of bytes`)
}

function sizeOf(given: RedisArgument): number {
  return typeof given === 'number' ? 8 : Buffer.byteLength(given)
}
