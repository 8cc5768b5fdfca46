import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../base/errors.ts'
import type { MediaReach } from '../publish/segment-bytes.ts'
import type { Stream } from '../streams/stream.ts'
import { isStreamName, notConfigured } from '../streams/stream-name.ts'
import { clientName } from './client-name.ts'
import { countRefusals } from './count-refusals.ts'
import type { Door } from './door.ts'
import { type Headers, staleStatus } from './headers.ts'
import { keepOpen } from './keep-open.ts'
import { connectionOf, isGone, writeHead } from './over-http2.ts'
import { PEER_FIELDS } from './peers.ts'
import { privateHead } from './private-head.ts'
import type { PlaylistHeads } from './public-headers.ts'
import type { Relayed } from './relay.ts'
import type { MaybeLater, RenderedPlaylist, Representation } from './rendered-lists.ts'
import type { Address, Answer, Asker, Output, PlaylistAnswer, Resource } from './resource.ts'
import { type BytesAnswer, beginBytes, pump, type Send } from './send-bytes.ts'
import { sendPlaylist } from './send-playlist.ts'

interface Exchange {
  readonly resource: Resource
  readonly request: IncomingMessage
  readonly reply: FastifyReply
  readonly asker: Asker
  /** The header fields that hold who asks' proof, so that answers are for him alone; undefined: for everybody. */
  readonly vary: string | undefined
}

/** Registers an output: its route only reads the address, all else happens in {@link serve}. */
export function registerOutput(app: FastifyInstance, door: Door, output: Output): void {
  void app.register((scope, _options, done) => {
    countRefusals(scope, door, output.countedAs)
    scope.get(output.path, { config: { isMedia: isMediaOf(output) } }, (request, reply) =>
      serve(door, output.read(addressOf(request), door), request, reply),
    )
    done()
  })
}

function isMediaOf({ countedAs }: Output): (file: string) => boolean {
  return (file) => ['segment', 'init'].includes(countedAs(file) ?? '')
}

function addressOf({ params, query }: FastifyRequest): Address {
  const nothing = { stream: '', file: '', rendition: '', edition: '', range: '' }
  return { ...nothing, ...(params as Partial<Address>), query: query as Address['query'] }
}

/**
 * Answers a request for something of a stream: wakes it, waits, notes who asked, finds the answer, sends it as the
 * client's conditions want it, counts it; at once where nothing has to be waited for.
 *
 * Answers go past Fastify's reply, because its header object, serializer lookup and hooks cost a sixth of all requests
 * that a core can answer (73,000/s against 85,000/s for 2 KB), and heads are already made. Skipping the router too
 * would bring no more than 4 % of it, and a second door past every hook.
 */
function serve(
  door: Door,
  resource: Resource,
  request: FastifyRequest,
  reply: FastifyReply,
): MaybeLater<void> {
  const { raw, grant } = request
  const asker = new Waiting(resource, request, reply.raw, door)
  const exchange = { resource, request: raw, reply, asker, vary: grant?.vary }
  const stream = streamOf(door, resource)
  if (resource.needs === 'made') {
    return door.streams.using(
      resource.stream,
      async (made) => {
        // Who left while the stream was made will never be heard to leave.
        exchange.asker.signal.throwIfAborted()
        const relayed = await door.relay?.ask(request, reply, resource.stream, asker)
        if (relayed === undefined) await answer(door, exchange, made)
        else passOn(door, exchange, made, relayed)
      },
      asker.name,
    )
  }
  const begins = stream === undefined || isToFollow(door, resource, stream)
  return begins ? wake(door, exchange) : answer(door, exchange, stream)
}

/**
 * Finds the stream as it is; undefined when it would be made.
 * @throws GatewayError `stream_not_found`; `upstream_unavailable` for other nodes
 */
function streamOf(
  { streams, forPeers, peers }: Pick<Door, 'streams' | 'forPeers' | 'peers'>,
  { stream: name, needs }: Resource,
): Stream | undefined {
  // Nothing is asked of a node that would have to ask another one.
  if (forPeers !== undefined && needs === 'shown') {
    throw new GatewayError('upstream_unavailable', 'This node has nothing of it for others')
  }
  const stream = isStreamName(name) ? streams.get(name) : undefined
  const isWanted = needs !== 'there' || peers?.publishes(name) === true
  const mayCome = isWanted && isStreamName(name) && streams.mayExist(name)
  if (stream !== undefined || mayCome) return stream
  throw notConfigured()
}

/**
 * Says whether a stream is another node's, and not followed here yet: whoever was told of a segment there may ask for it here
 * (G15), and the list comes first.
 */
function isToFollow({ peers }: Door, { needs }: Resource, { name, view }: Stream): boolean {
  if (needs !== 'there' || peers === undefined) return false
  return (view.state === 'idle' || view.state === 'starting') && peers.publishes(name)
}

function answer(door: Door, exchange: Exchange, stream: Stream): MaybeLater<void> {
  const { resource, asker } = exchange
  if (resource.needs === 'there' && door.forPeers === undefined) stream.touch()
  const found = resource.find(stream, asker)
  const send = (is: Answer | undefined): MaybeLater<void> =>
    is === undefined ? wake(door, exchange) : sendAnswer(door, exchange, stream, is)
  return found instanceof Promise ? found.then(send) : send(found)
}

/**
 * Makes a first request wait until there is something to show, and lets it be content with the past if nothing comes.
 */
async function wake(door: Door, exchange: Exchange): Promise<void> {
  const { resource, asker } = exchange
  const stream = await asker
    .wait(() => door.streams.request(resource.stream, asker.signal, asker.name))
    .catch((error: unknown) => {
      const known = door.streams.get(resource.stream)
      const isThere = known !== undefined && resource.find(known, asker) !== undefined
      if (asker.signal.aborted || !isThere) throw error
      return known
    })
  const found = await resource.find(stream, asker)
  if (found !== undefined) return sendAnswer(door, exchange, stream, found)
  throw resource.nothing?.() ?? noMedia()
}

function noMedia(): GatewayError {
  return new GatewayError('no_media', 'The camera has sent nothing yet', { retryAfterMs: 2000 })
}

function sendAnswer(
  door: Door,
  exchange: Exchange,
  stream: Stream,
  found: Answer,
): MaybeLater<void> {
  if (found.kind === 'bytes') return bytes(door, exchange, stream, found)
  const { by, playlist, lateS } = found
  const { headers, forPeers } = door
  if (forPeers === undefined) noteWho(stream, by, exchange)
  const told = forPeers === undefined ? undefined : { [PEER_FIELDS.by]: by }
  const late = lateS === undefined ? told : { ...told, 'Cache-Status': staleStatus(lateS) }
  const allowed = headers.cors.of(exchange.request.headers)
  const own = allowed === undefined ? late : { ...allowed, ...late }
  const send = (made: RenderedPlaylist): void => {
    const { request, reply, resource, vary } = exchange
    reply.hijack()
    const headsOf = (form: Representation): PlaylistHeads => {
      const heads = headers.playlist(stream, form)
      return vary === undefined ? heads : ownHeads(heads, vary)
    }
    const sent = sendPlaylist(request, reply.raw, made, headsOf, own, door.pace)
    door.served.of(stream).answered(resource.countedAs, sent.status, sent.bytes)
  }
  return playlist instanceof Promise ? playlist.then(send) : send(playlist)
}

/** Keeps a stream awake for whom an answer is. */
function noteWho(stream: Stream, by: PlaylistAnswer['by'], { request }: Exchange): void {
  if (by !== 'nobody') stream.touch(by === 'viewer' ? connectionOf(request) : undefined)
}

/** Answers with what another node answers. */
function passOn(
  { served, pace, log }: Door,
  exchange: Exchange,
  stream: Stream,
  { status, head, by, body }: Relayed,
): void {
  const { reply, resource, asker, vary } = exchange
  const counts = served.of(stream)
  noteWho(stream, by, exchange)
  reply.hijack()
  counts.answered(resource.countedAs, status, 0)
  const to = writeHead(reply.raw, status, vary === undefined ? head : privateHead(head, vary))
  void pump(reply.raw, to, body, {
    signal: asker.signal,
    pace,
    sent: (length) => {
      if (status < 400) counts.sent(resource.countedAs, length)
    },
    failed: (error) => log.warn('answer broken off', { stream: resource.stream, error }),
  })
}

/** Begins the answer with its first byte, because what fails before that is still an honest error. */
function bytes(
  { served, readers, pace, log, headers }: Door,
  { request, reply, resource, asker, vary }: Exchange,
  stream: Stream,
  found: BytesAnswer,
): MaybeLater<void> {
  const counts = served.of(stream)
  const every = headers.of(stream.name, request.headers)
  const send = (begun: Send): void => {
    reply.hijack()
    begun({
      readers,
      pace,
      signal: asker.signal,
      count: (status, length) => counts.answered(resource.countedAs, status, length),
      sent: (length) => counts.sent(resource.countedAs, length),
      failed: (error) => log.warn('answer broken off', { stream: resource.stream, error }),
    })
  }
  const answer = vary === undefined ? found : ownBytes(found, every, vary)
  const begun = beginBytes(request, reply.raw, answer, every, asker.signal)
  return begun instanceof Promise ? begun.then(send) : send(begun)
}

/** Returns an answer for its viewer alone: with all that its head says, because fields are joined there. */
function ownBytes(answer: BytesAnswer, every: Headers, vary: string): BytesAnswer {
  return { ...answer, sharedHead: privateHead({ ...every, ...answer.sharedHead }, vary) }
}

function ownHeads({ ok, notModified }: PlaylistHeads, vary: string): PlaylistHeads {
  return { ok: privateHead(ok, vary), notModified: privateHead(notModified, vary) }
}

class Waiting implements Asker {
  readonly #resource: Resource
  readonly #request: FastifyRequest
  readonly #response: ServerResponse
  readonly #door: Pick<Door, 'blocked' | 'forPeers'>
  #signal: AbortSignal | undefined

  constructor(
    resource: Resource,
    request: FastifyRequest,
    response: ServerResponse,
    door: Pick<Door, 'blocked' | 'forPeers'>,
  ) {
    this.#resource = resource
    this.#request = request
    this.#response = response
    this.#door = door
  }

  get name(): string {
    return clientName(this.#request)
  }

  get signal(): AbortSignal {
    this.#signal ??= leaveSignal(this.#response)
    return this.#signal
  }

  get reach(): MediaReach {
    const { forPeers } = this.#door
    return forPeers?.owns(this.#resource.stream) === false ? 'memory' : 'anywhere'
  }

  async wait<T>(work: () => Promise<T>): Promise<T> {
    const { blocked } = this.#door
    blocked.value += 1
    try {
      return await keepOpen(this.#request.raw, work)
    } finally {
      blocked.value -= 1
    }
  }
}

/**
 * Returns a signal that aborts when the client is gone, or has its answer; at once if it went before anybody looked.
 */
function leaveSignal(response: ServerResponse): AbortSignal {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort(new Error('the client has left'))
  if (response.closed || isGone(response)) leave()
  else response.once('close', leave)
  return leaving.signal
}
