import { systemClock } from '../../src/base/clock.ts'
import { type LogFields, silentLog } from '../../src/base/log.ts'
import { parseRedisUrl } from '../../src/base/redis-url.ts'
import { RedisConnection, type RedisConnectionOptions } from '../../src/cluster/redis-connection.ts'

/** The connections that a test opens, and what they log. */
export class RedisConnections {
  readonly lines: { readonly event: string; readonly fields: LogFields }[] = []
  readonly #end = new AbortController()
  readonly #running: Promise<unknown>[] = []

  /** Opens a connection that may not be there yet. */
  open(url: string, options: Partial<RedisConnectionOptions> = {}): RedisConnection {
    const address = parseRedisUrl(url)
    if (address === undefined) throw new TypeError(`${url} is no address of a Redis`)
    const note = (event: string, fields: LogFields = {}): void => {
      this.lines.push({ event, fields })
    }
    const connection = new RedisConnection({
      address,
      name: 'test',
      clock: systemClock,
      random: Math.random,
      log: { ...silentLog, info: note, warn: note, error: note },
      ...options,
    })
    this.#running.push(connection.run(this.#end.signal).catch(() => {}))
    return connection
  }

  /** Opens a connection that can be used. */
  async ready(url: string, options?: Partial<RedisConnectionOptions>): Promise<RedisConnection> {
    const connection = this.open(url, options)
    while (!connection.ready) await connection.changed(AbortSignal.timeout(60_000))
    return connection
  }

  /** Ends all of them; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#running)
  }
}
