import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { NO_REACH, type Reach, type StreamState } from '../../streams/stream.ts'
import type { RenditionName, SourceName } from '../../timeline/fragment.ts'
import { maySee } from '../auth/guard-routes.ts'
import { clientName } from '../client-name.ts'
import type { WebStreamState, WebView } from '../web-view.ts'

export interface FeedOptions {
  readonly view: WebView
  /** The time in milliseconds since 1970. */
  readonly now: () => number
  /** The version of the pages that this gateway serves: a page of another version renews itself. */
  readonly version: string
}

/** One entry of the feed. Times are in milliseconds since 1970, `targetDuration` in seconds. */
export interface FeedStream {
  readonly name: string
  readonly state: StreamState | 'unknown'
  readonly reason: string | null
  readonly since: number | null
  readonly source: SourceName | null
  readonly lastFragmentAt: number | null
  readonly targetDuration: number | null
  readonly renditions: readonly RenditionName[]
  readonly past: Reach
}

export interface FeedAnswer {
  /** The gateway's clock, by which pages tell latency and age whatever the viewer's clock says. */
  readonly now: number
  readonly version: string
  readonly streams: readonly FeedStream[]
}

const MAX_NAMES = 64
const LONGEST_NAME = 256

/**
 * `GET /web/feed?streams=a,b,c` → {@link FeedAnswer}: the state of all players of a page in one request.
 * Without `streams`: all configured ones. Asking counts as interest, so a page keeps its streams running.
 *
 * `GET /web/streams` → {@link FeedAnswer}: all that are there, those by pattern included. Asking starts none of them, and
 * keeps none running (G10).
 * @throws GatewayError `bad_request` for more than 64 names or one that is no stream name
 */
export function registerFeed(app: FastifyInstance, { view, now, version }: FeedOptions): void {
  app.get('/web/feed', (request, reply) => {
    const streams = wantedNames(request, view).map((name) => entry(name, view.state(name)))
    view.interest(
      streams.filter(({ state }) => state !== 'unknown').map(({ name }) => name),
      clientName(request),
    )
    const answer: FeedAnswer = { now: now(), version, streams }
    return reply.headers(HEADERS).send(answer)
  })
  app.get('/web/streams', (request, reply) => {
    const may = maySee(request)
    const seen = Array.from(view.all()).filter(([name]) => may(name))
    const streams = seen.map(([name, state]) => entry(name, state))
    const answer: FeedAnswer = { now: now(), version, streams }
    return reply.headers(HEADERS).send(answer)
  })
}

const HEADERS = { 'cache-control': 'public, max-age=1', 'x-content-type-options': 'nosniff' }

/**
 * Names the streams that a page or feed request is about, each once, without those that may not be seen.
 * @throws GatewayError `forbidden` when that leaves none of those it names
 */
export function wantedNames(request: FastifyRequest, view: WebView): readonly string[] {
  const query = new URL(request.url, 'http://localhost').searchParams.get('streams')
  const named = (query ?? '').split(',').map((name) => name.trim())
  const names = [...new Set(named.filter((name) => name !== ''))]
  const may = maySee(request)
  if (names.length === 0) return view.names().filter(may).slice(0, MAX_NAMES)
  if (names.length > MAX_NAMES) {
    const message = `streams: expected at most ${MAX_NAMES} names, got ${names.length}`
    throw new GatewayError('bad_request', message)
  }
  if (names.some((name) => name.length > LONGEST_NAME)) {
    const message = `streams: expected names of at most ${LONGEST_NAME} characters`
    throw new GatewayError('bad_request', message)
  }
  const seen = names.filter(may)
  if (seen.length > 0) return seen
  throw new GatewayError('forbidden', 'You may see none of these streams')
}

function entry(name: string, stream: WebStreamState | undefined): FeedStream {
  if (stream === undefined) return unknown(name)
  const { sinceMs, lastFragmentMs, ...rest } = stream
  return { name, ...rest, since: sinceMs, lastFragmentAt: lastFragmentMs }
}

function unknown(name: string): FeedStream {
  return {
    name,
    state: 'unknown',
    reason: 'stream_not_found',
    since: null,
    source: null,
    lastFragmentAt: null,
    targetDuration: null,
    renditions: [],
    past: NO_REACH,
  }
}
