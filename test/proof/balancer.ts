import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A server behind it, and the connections that go there. */
interface Backend {
  readonly name: string
  readonly url: URL
  readonly sockets: Set<Socket>
  missedLooks: number
}

const LOOK_EVERY_MS = 500
/** One that does not answer so many looks of this length gets no connection, and loses those that it has. */
const LOOK_MS = 2_000
const LOOKS = 2

/**
 * A plain TCP balancer: each connection goes to the next server in turn, or to the one after it where it is refused. A
 * server that does not answer two looks in a row is taken out until it does, as any balancer's health check does.
 */
export class Balancer implements AsyncDisposable {
  readonly #server: Server
  readonly #stopped = new AbortController()
  readonly #looks = new Set<Promise<void>>()
  #backends: Backend[] = []
  #turn = 0

  private constructor() {
    this.#server = createServer((near) => {
      near.on('error', () => {})
      this.#serve(near, this.#inTurn())
    })
  }

  static async start(): Promise<Balancer> {
    const balancer = new Balancer()
    balancer.#server.listen(0, '127.0.0.1')
    await once(balancer.#server, 'listening')
    return balancer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  add(name: string, url: string): void {
    const backend = { name, url: new URL(url), sockets: new Set<Socket>(), missedLooks: 0 }
    this.#backends = [...this.#backends, backend]
    const look = this.#look(backend).finally(() => this.#looks.delete(look))
    this.#looks.add(look)
  }

  /** Sends it nothing more; connections to it end when it ends them. */
  remove(name: string): void {
    this.#backends = this.#backends.filter((backend) => backend.name !== name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort()
    for (const { sockets } of this.#backends) for (const socket of sockets) socket.destroy()
    this.#server.close()
    await Promise.all(this.#looks)
  }

  #inTurn(): readonly Backend[] {
    const well = this.#backends.filter(isWell)
    this.#turn += 1
    return well
      .map((_, i) => well[(this.#turn + i) % well.length])
      .filter((one) => one !== undefined)
  }

  #serve(near: Socket, [backend, ...others]: readonly Backend[]): void {
    if (backend === undefined) {
      near.destroy()
      return
    }
    const far = connect(Number(backend.url.port), backend.url.hostname)
    far.once('connect', () => {
      backend.sockets.add(far)
      near.pipe(far).pipe(near)
      near.once('close', () => far.destroy())
      far.once('close', () => {
        backend.sockets.delete(far)
        near.destroy()
      })
    })
    far.on('error', () => {
      if (far.bytesRead === 0 && !backend.sockets.has(far)) this.#serve(near, others)
    })
  }

  async #look(backend: Backend): Promise<void> {
    while (!this.#stopped.signal.aborted && this.#backends.includes(backend)) {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(LOOK_MS)])
      const answered = await fetch(new URL('/healthz', backend.url), { signal })
        .then(({ ok, body }) => body?.cancel().then(() => ok) ?? ok)
        .catch(() => false)
      backend.missedLooks = answered ? 0 : backend.missedLooks + 1
      if (!isWell(backend)) for (const socket of backend.sockets) socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }
}

const isWell = ({ missedLooks }: Backend): boolean => missedLooks < LOOKS
