import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../base/errors.ts'
import { acceptsGzip } from '../accept-encoding.ts'
import { clientName } from '../client-name.ts'
import { matchesAny } from '../etag.ts'
import { wantsPage } from '../wants-page.ts'
import type { WebAsset, WebAssets } from '../web-assets.ts'
import { loadWebAssets } from '../web-assets.ts'
import type { WebView } from '../web-view.ts'
import { registerFeed, wantedNames } from './feed.ts'

export interface WebOptions {
  readonly view: WebView
  /** The time in milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Serves the list of streams, the player page, the wall, their files and their state feed.
 *
 *     GET /                           all streams; starts none of them
 *     GET /play/{stream}              one stream; 404, as a page, for a name that is not configured
 *     GET /wall[?streams=a,b,c]       these streams, or all
 *     GET /web/{version}/{file}       scripts and styles, immutable
 *     GET /web/feed[?streams=a,b,c]   see feed.ts
 *     GET /web/streams                see feed.ts
 *     GET /favicon.ico                what browsers ask for beside pages that are not ours
 *     GET anything else               404, as a page for a browser and as a problem document for all others
 *
 * Asking for a page already starts its cameras, all at once and before the page has loaded: by the time
 * the players ask for a playlist there is media. On HTTP/1.1 a browser opens six connections to a host, so
 * sixteen players that each block one until their camera answers would start in three rounds.
 */
export async function registerWeb(app: FastifyInstance, options: WebOptions): Promise<void> {
  const assets = await loadWebAssets()
  registerPages(app, options.view, assets)
  registerFiles(app, assets)
  registerMissing(app, assets)
  registerFeed(app, { view: options.view, now: options.now, version: assets.version })
}

function registerPages(app: FastifyInstance, view: WebView, assets: WebAssets): void {
  app.get('/', (request, reply) =>
    sendAsset(request, reply.headers(PAGE_HEADERS), assets.pages.streams),
  )
  app.get<{ Params: { stream: string } }>('/play/:stream', (request, reply) => {
    const { stream } = request.params
    const known = view.state(stream) !== undefined
    if (known) view.interest([stream], clientName(request))
    return sendAsset(
      request,
      reply.code(known ? 200 : 404).headers(PAGE_HEADERS),
      assets.pages.play,
    )
  })
  app.get('/wall', (request, reply) => {
    const known = wantedNames(request, view).filter((name) => view.state(name) !== undefined)
    view.interest(known, clientName(request))
    return sendAsset(request, reply.headers(PAGE_HEADERS), assets.pages.wall)
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
  const icon = assets.file('favicon.ico')
  if (icon === undefined) throw new Error('the installation lacks favicon.ico')
  const headers = { ...FILE_HEADERS, 'cache-control': 'public, max-age=86400' }
  app.get('/favicon.ico', (request, reply) => sendAsset(request, reply.headers(headers), icon))
}

/**
 * Answers for what is missing: with the page to those who look for pages; players and scripts, which take anything,
 * read problem documents.
 */
function registerMissing(app: FastifyInstance, { pages }: WebAssets): void {
  const text = pages.missing.identity.body.toString()
  app.get('/*', (request, reply) => {
    reply.header('vary', 'accept')
    if (!wantsPage(request.headers)) {
      throw new GatewayError('not_found', 'Nothing lives at this address')
    }
    // Relative, as all links are: the pages work below a path prefix as well.
    const [path = ''] = request.url.split('?')
    const root = '../'.repeat(path.split('/').length - 2)
    return reply
      .code(404)
      .headers({ ...PAGE_HEADERS, 'cache-control': 'public, max-age=1' })
      .type(pages.missing.contentType)
      .send(text.replaceAll('{root}', root === '' ? './' : root))
  })
}

const FILE_HEADERS = {
  'cache-control': 'public, max-age=31536000, immutable',
  'x-content-type-options': 'nosniff',
}

/** Allows only what comes from us; MSE hands pictures to the video element as a blob. */
const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; '),
  'cache-control': 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
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
