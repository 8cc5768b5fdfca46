import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { acceptsGzip } from '../accept-encoding.ts'
import { matchesAny } from '../etag.ts'
import type { WebAsset, WebAssets } from '../web-assets.ts'
import { loadWebAssets } from '../web-assets.ts'
import type { WebView } from '../web-view.ts'
import { registerFeed, wantedNames } from './feed.ts'

export interface WebOptions {
  readonly view: WebView
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Who may show the pages in a frame, in CSP's words. Default: pages of the same origin. */
  readonly frameAncestors?: string
}

/**
 * The player page, the wall, their files and their state feed.
 *
 *     GET /play/{stream}              one stream; 404, as a page, for a name that is not configured
 *     GET /wall[?streams=a,b,c]       these streams, or all
 *     GET /web/{version}/{file}       scripts and styles, immutable
 *     GET /web/feed[?streams=a,b,c]   see feed.ts
 *
 * Asking for a page already starts its cameras, all at once and before the page has loaded: by the time
 * the players ask for a playlist there is media. On HTTP/1.1 a browser opens six connections to a host, so
 * sixteen players that each block one until their camera answers would start in three rounds.
 */
export async function registerWeb(app: FastifyInstance, options: WebOptions): Promise<void> {
  const assets = await loadWebAssets()
  const headers = pageHeaders(options.frameAncestors ?? "'self'")
  registerPages(app, options.view, assets, headers)
  registerFiles(app, assets)
  registerFeed(app, { view: options.view, now: options.now, version: assets.version })
}

function registerPages(
  app: FastifyInstance,
  view: WebView,
  assets: WebAssets,
  headers: Readonly<Record<string, string>>,
): void {
  app.get<{ Params: { stream: string } }>('/play/:stream', (request, reply) => {
    const { stream } = request.params
    const known = view.state(stream) !== undefined
    if (known) view.interest([stream])
    return sendAsset(request, reply.code(known ? 200 : 404).headers(headers), assets.pages.play)
  })
  app.get('/wall', (request, reply) => {
    const known = wantedNames(request, view).filter((name) => view.state(name) !== undefined)
    view.interest(known)
    return sendAsset(request, reply.headers(headers), assets.pages.wall)
  })
}

function registerFiles(app: FastifyInstance, assets: WebAssets): void {
  app.get<{ Params: { version: string; file: string } }>(
    '/web/:version/:file',
    (request, reply) => {
      const { version, file } = request.params
      const asset = version === assets.version ? assets.file(file) : undefined
      if (asset === undefined) throw new GatewayError('not_found', 'no such file of the pages')
      return sendAsset(request, reply.headers(FILE_HEADERS), asset)
    },
  )
}

const FILE_HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'x-content-type-options': 'nosniff',
}

/** Everything comes from us; MSE hands pictures to the video element as a blob. */
function pageHeaders(frameAncestors: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors}`,
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-cache',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

async function sendAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  asset: WebAsset,
): Promise<FastifyReply> {
  const zipped = acceptsGzip(request.headers['accept-encoding'])
  const { body, etag } = zipped ? await asset.gzip() : asset.identity
  reply.headers({ vary: 'accept-encoding', etag })
  // A page for an unknown stream is a 404 each time: a 304 would turn it into the 200 of the same bytes.
  const known = request.headers['if-none-match']
  if (reply.statusCode === 200 && known !== undefined && matchesAny(known, etag)) {
    return reply.code(304).send()
  }
  if (zipped) reply.header('content-encoding', 'gzip')
  return reply.type(asset.contentType).send(body)
}
