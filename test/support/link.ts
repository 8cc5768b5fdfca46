import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A line to a server of this machine that a test can cut, and on which it can hold back what the server says. */
export class Link {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false
  /** How many bytes may still come from the server, and those that are held back. */
  #allowed = Number.POSITIVE_INFINITY
  readonly #held: (() => void)[] = []

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy()
        return
      }
      const far = connect(port, '127.0.0.1')
      this.#join(near, far)
      this.#join(far, near, this.#gate())
    })
  }

  static async to(url: string): Promise<Link> {
    const link = new Link(Number(new URL(url).port))
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  /** The same resource as at its server, over this line. */
  over(url: string): string {
    const through = new URL(url)
    through.port = String((this.#server.address() as AddressInfo).port)
    return through.href
  }

  /** Breaks all connections and refuses new ones. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets no more than so many bytes come from the server until it is told to. */
  hold(afterBytes: number): void {
    this.#allowed = afterBytes
  }

  /** Lets come what was held back, and all that follows. */
  release(): void {
    this.#allowed = Number.POSITIVE_INFINITY
    for (const pass of this.#held.splice(0)) pass()
  }

  mend(): void {
    this.#isCut = false
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #gate(): Transform {
    const gate = new Transform({
      transform: (chunk: Buffer, _, done) => {
        const now = chunk.subarray(0, this.#allowed)
        const later = chunk.subarray(now.length)
        this.#allowed -= now.length
        gate.push(now)
        if (later.length === 0) done()
        else this.#held.push(() => done(null, later))
      },
    })
    return gate
  }

  #join(from: Socket, to: Socket, gate?: Transform): void {
    this.#sockets.add(from)
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
    if (gate === undefined) from.pipe(to)
    else from.pipe(gate).pipe(to)
  }
}
