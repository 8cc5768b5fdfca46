import type { Script } from '../../src/cluster/redis-connection.ts'
import { BEAT, CLAIM, RELEASE, STRIKE } from '../../src/cluster/scripts.ts'

interface Lease {
  readonly node: string
  readonly token: string
  readonly untilMs: number
}

type Args = readonly (string | number)[]

/**
 * What the scripts of leases do in Redis, said once more in plain words: the model that nodes are tried against under
 * any order of messages, and that is held against the scripts themselves in a real Redis.
 */
export class LeaseTable {
  readonly #nodes = new Map<string, { about: string; untilMs: number }>()
  readonly #leases = new Map<string, Lease>()
  readonly #wishes = new Map<string, number>()
  /** When it began to remember. */
  #bornMs: number | undefined

  readonly #told: (channel: string, message: string) => void

  /** @param told called with what is published */
  constructor(told: (channel: string, message: string) => void = () => {}) {
    this.#told = told
  }

  run(script: Script, args: Args, nowMs: number): unknown {
    switch (script) {
      case BEAT:
        return this.#beat(args, nowMs)
      case CLAIM:
        return this.#claim(args, nowMs)
      case RELEASE:
        return this.#release(args)
      case STRIKE:
        return this.#nodes.delete(String(args[0])) ? 1 : 0
      default:
        throw new Error(`no model of ${script.lua}`)
    }
  }

  /** Loses all, as a Redis that was emptied. */
  clear(): void {
    this.#nodes.clear()
    this.#leases.clear()
    this.#wishes.clear()
    this.#bornMs = undefined
  }

  #beat([me, about, ttl, count, ...rest]: Args, nowMs: number): unknown {
    const untilMs = nowMs + Number(ttl)
    this.#bornMs ??= nowMs
    this.#nodes.set(String(me), { about: String(about), untilMs })
    const lost: string[] = []
    let at = 0
    for (; at < Number(count) * 3; at += 3) {
      const [stream, token, anew] = rest.slice(at, at + 3).map(String)
      if (stream === undefined || token === undefined) continue
      const lease = this.#leases.get(stream)
      const isMine = lease?.node === String(me) && lease.token === token
      if (isMine || (lease === undefined && anew === '1')) {
        this.#leases.set(stream, { node: String(me), token, untilMs })
      } else lost.push(stream)
    }
    for (; at < rest.length; at += 2) {
      const stream = String(rest[at])
      const wishMs = nowMs + Number(rest[at + 1])
      this.#wishes.set(stream, Math.max(wishMs, this.#wishes.get(stream) ?? 0))
    }
    for (const [id, { untilMs: till }] of this.#nodes) if (till <= nowMs) this.#nodes.delete(id)
    for (const [stream, till] of this.#wishes) if (till <= nowMs) this.#wishes.delete(stream)
    return [
      [...this.#nodes].flatMap(([id, node]) => [id, node.about]),
      [...this.#leases].flatMap(([stream, lease]) =>
        lease.untilMs > nowMs ? [stream, lease.node, String(lease.untilMs - nowMs)] : [],
      ),
      [...this.#wishes].flatMap(([stream, till]) => [stream, String(till - nowMs)]),
      lost,
    ]
  }

  #claim(args: Args, nowMs: number): string {
    const [stream = '', me = '', token = '', ttl, fromOthers] = args.map(String)
    const lease = this.#leases.get(stream)
    const isFree = lease === undefined || lease.node === me
    if (!isFree && (lease.untilMs > nowMs || fromOthers !== '1')) return lease.node
    if (lease === undefined && nowMs < (this.#bornMs ?? nowMs) + Number(ttl)) return '-'
    this.#leases.set(stream, { node: me, token, untilMs: nowMs + Number(ttl) })
    return ''
  }

  #release(args: Args): number {
    const [stream = '', me, token, channel = ''] = args.map(String)
    const lease = this.#leases.get(stream)
    if (lease?.node !== me || lease?.token !== token) return 0
    this.#leases.delete(stream)
    this.#told(channel, stream)
    return 1
  }
}
