import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyReplyFromOptions } from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import type { Counter } from '../metrics/counter.ts'
import type { Headers } from './headers.ts'
import { PEER_FIELDS, type Peer, type PeerRequest, type PeerResponse, type Peers } from './peers.ts'
import type { Asker, PlaylistAnswer } from './resource.ts'
import { type Chunks, openChunks } from './send-bytes.ts'

/** What another node answers, from its first bytes on. */
export interface Relayed {
  readonly status: number
  readonly head: Headers
  /** Whom the request is of, as that node sees it. */
  readonly by: PlaylistAnswer['by']
  readonly body: Chunks
}

/** The fields of a viewer's request on which answers depend. Nothing else of it leaves this node. */
const ASKED = ['accept-encoding', 'if-none-match', 'if-range', 'origin', 'range'] as const

/** What belongs to the connection between the nodes. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', PEER_FIELDS.by])

/**
 * Has the past worked on by one node: listed once, fetched once, with one stream's quota. The others pass on what it
 * answers, and do the work themselves where it does not answer.
 */
export class Relay {
  readonly #peers: Peers
  readonly #takenOver: Counter<'stream'>
  readonly #outage: Outage
  /** The signal of what is being sent, because reply.from takes none. */
  readonly #leaving = new AsyncLocalStorage<AbortSignal>()

  /** @param takenOver counts requests that were answered here because the node that works on them did not answer */
  constructor(peers: Peers, takenOver: Counter<'stream'>, log: Log) {
    this.#peers = peers
    this.#takenOver = takenOver
    this.#outage = new Outage(log, {
      level: 'warn',
      fails: 'a node does not answer, so its work is done here',
      works: 'work is left to other nodes again',
    })
  }

  /** Prepares a listener, before its routes are made. */
  register(app: FastifyInstance): void {
    // Its HTTP client is a second one; where there is no other node it is not loaded.
    void app.register(import('@fastify/reply-from'), {
      undici: this.#client(),
      disableCache: true,
      disableRequestLogging: true,
    })
  }

  /**
   * Asks the node that works on a stream's past; resolves once the first bytes of its answer are here. Undefined where it
   * is to be done here.
   * @throws the asker's reason once he leaves
   */
  async ask(
    request: FastifyRequest,
    reply: FastifyReply,
    stream: string,
    asker: Asker,
  ): Promise<Relayed | undefined> {
    const peer = this.#peers.workingOn(stream)
    if (peer === undefined) return undefined
    const relayed = await this.#outage.attempt(
      { stream },
      () => asker.wait(() => this.#relayed(peer, request, reply, asker)),
      asker.signal,
    )
    if (relayed === undefined) this.#takenOver.add({ stream })
    return relayed
  }

  async #relayed(
    peer: Peer,
    request: FastifyRequest,
    reply: FastifyReply,
    asker: Asker,
  ): Promise<Relayed> {
    const over = new AbortController()
    const signal = AbortSignal.any([asker.signal, over.signal])
    peer.gone(signal).then(
      () => over.abort(new Error('the node is away')),
      () => {},
    )
    try {
      const { statusCode, headers, body } = await this.#send(peer, request, reply, asker, signal)
      // It is another node than it was.
      if (statusCode === 401) throw new Error('the node does not know this one')
      return {
        status: statusCode,
        head: headOf(headers),
        by: byOf(headers[PEER_FIELDS.by]),
        body: await openChunks(request.raw, body),
      }
    } catch (error) {
      over.abort()
      throw error
    }
  }

  #send(
    { url, secret }: Peer,
    request: FastifyRequest,
    reply: FastifyReply,
    asker: Asker,
    signal: AbortSignal,
  ): Promise<PeerResponse> {
    const [path = '', query = ''] = request.url.split(/\?(.*)/s)
    const headers: Record<string, string> = {
      [PEER_FIELDS.secret]: secret,
      [PEER_FIELDS.client]: asker.name,
    }
    for (const name of ASKED) {
      const value = request.headers[name]
      if (typeof value === 'string') headers[name] = value
    }
    let head: PeerResponse['headers'] = {}
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#leaving.run(signal, () =>
        reply.from(url + path, {
          queryString: () => query,
          rewriteRequestHeaders: () => headers,
          // The head is written with all else that an answer says, or the answer is made here after all.
          rewriteHeaders: (all) => {
            head = all
            return {}
          },
          // It would take Retry-After for milliseconds.
          retryDelay: () => null,
          onResponse: (_request, _reply, { statusCode, stream }) =>
            resolve({ statusCode, headers: head, body: stream }),
          onError: (_reply, { error }) => reject(error),
        }),
      )
    })
  }

  /** What reply.from sends with, so that it ends when nobody waits any more. */
  #client(): Client {
    const request = (options: PeerRequest, done: Done): void => {
      void this.#forward(options, done)
    }
    // It uses no other of undici's overloads.
    return { request: request as Client['request'] }
  }

  async #forward(options: PeerRequest, done: Done): Promise<void> {
    const signal = this.#leaving.getStore() ?? AbortSignal.abort()
    let response: PeerResponse
    try {
      response = await this.#peers.request(options, signal)
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
      return
    }
    done(null, response)
  }
}

type Client = Extract<FastifyReplyFromOptions['undici'], { request: unknown }>
type Done = (error: Error | null, response?: PeerResponse) => void

function headOf(headers: PeerResponse['headers']): Headers {
  const head: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OF_CONNECTION.has(name)) head[name] = String(value)
  }
  return head
}

function byOf(value: unknown): PlaylistAnswer['by'] {
  return value === 'viewer' || value === 'somebody' ? value : 'nobody'
}
