import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import Fastify from 'fastify'
import { registerWeb } from '../../src/http/routes/web.ts'
import type { WebStreamState, WebView } from '../../src/http/web-view.ts'
import type { StreamState } from '../../src/streams/stream.ts'
import { NO_REACH } from '../../src/streams/stream.ts'
import type { LoopMedia } from './loop-media.ts'

/**
 * The pages with live streams behind them, in real time: what the gateway shows to a browser, with a switch
 * for each kind of trouble. One-second fragments, a window of six, program dates, sound as a rendition.
 */
export interface LiveHlsOriginOptions {
  readonly streams: readonly string[]
  readonly media: LoopMedia
  /** From the first interest to the first fragment. */
  readonly startDelayMs?: number
  readonly staleAfterMs?: number
  readonly offlineAfterMs?: number
}

interface Segment {
  readonly msn: number
  /** Seconds on the stream's timeline, which has started long ago. */
  readonly second: number
  readonly discontinuity: boolean
}

const WINDOW = 6

class Camera {
  readonly name: string
  readonly #startDelayMs: number
  segments: readonly Segment[] = []
  discontinuitySequence = 0
  /** Answers every media request with this status. */
  fault: number | undefined
  stopped = false
  forced: { state: StreamState; reason: string | null } | undefined
  #interestAt: number | undefined
  #nextMsn = 1
  #lastMs: number | null = null

  constructor(name: string, startDelayMs: number) {
    this.name = name
    this.#startDelayMs = startDelayMs
  }

  get lastMs(): number | null {
    return this.#lastMs
  }

  get asked(): boolean {
    return this.#interestAt !== undefined
  }

  interest(now: number): void {
    this.#interestAt ??= now
  }

  /** Makes the fragment of the second that has just ended, if it is not there yet. */
  produce(now: number): void {
    if (this.stopped || this.#interestAt === undefined) return
    if (now < this.#interestAt + this.#startDelayMs) return
    const second = Math.floor(now / 1000) - 1
    const last = this.segments.at(-1)
    if (last !== undefined && second <= last.second) return
    // A first playlist has something to start with.
    const first = last === undefined ? second - 3 : last.second + 1
    const gap = last !== undefined && second > last.second + 2
    for (let s = gap ? second : first; s <= second; s += 1) this.#push(s, gap && s === second)
    this.#lastMs = now
  }

  #push(second: number, discontinuity: boolean): void {
    const grown = [...this.segments, { msn: this.#nextMsn, second, discontinuity }]
    this.#nextMsn += 1
    const gone = grown.slice(0, Math.max(0, grown.length - WINDOW))
    this.discontinuitySequence += gone.filter((segment) => segment.discontinuity).length
    this.segments = grown.slice(-WINDOW)
  }
}

export class LiveHlsOrigin {
  readonly #options: LiveHlsOriginOptions
  readonly #cameras: ReadonlyMap<string, Camera>
  #app: FastifyInstance | undefined
  #port = 0
  #timer: NodeJS.Timeout | undefined
  #feedsInFlight = 0
  /** The most feed requests that were ever open at once. */
  mostFeeds = 0
  /** Paths asked for, newest last; the latest 5,000. */
  requests: string[] = []

  constructor(options: LiveHlsOriginOptions) {
    this.#options = options
    const delay = options.startDelayMs ?? 0
    this.#cameras = new Map(options.streams.map((name) => [name, new Camera(name, delay)]))
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  camera(name: string): Camera {
    const camera = this.#cameras.get(name)
    if (camera === undefined) throw new Error(`no camera ${name}`)
    return camera
  }

  get cameras(): readonly Camera[] {
    return [...this.#cameras.values()]
  }

  /** Listens, on the same port as before if it did. */
  async start(): Promise<void> {
    const app = Fastify({ forceCloseConnections: true })
    this.#app = app
    this.#watch(app)
    await registerWeb(app, { view: this.#view(), now: () => Date.now() })
    this.#media(app)
    await app.listen({ host: '127.0.0.1', port: this.#port })
    this.#port = (app.server.address() as AddressInfo).port
    this.#timer = setInterval(() => {
      for (const camera of this.cameras) camera.produce(Date.now())
    }, 100)
  }

  /** Cuts all connections; cameras keep what they had. */
  async kill(): Promise<void> {
    clearInterval(this.#timer)
    await this.#app?.close()
    this.#app = undefined
  }

  #watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (request) => {
      this.requests = [...this.requests.slice(-4999), request.url]
      if (!request.url.startsWith('/web/feed')) return
      this.#feedsInFlight += 1
      this.mostFeeds = Math.max(this.mostFeeds, this.#feedsInFlight)
    })
    app.addHook('onResponse', async (request) => {
      if (request.url.startsWith('/web/feed')) this.#feedsInFlight -= 1
    })
  }

  #view(): WebView {
    return {
      names: () => this.#options.streams,
      all: () => [],
      state: (name) => this.#state(this.#cameras.get(name)),
      interest: (names) => {
        for (const name of names) this.camera(name).interest(Date.now())
      },
    }
  }

  #state(camera: Camera | undefined): WebStreamState | undefined {
    if (camera === undefined) return undefined
    const lastFragmentMs = camera.lastMs
    const sinceMs = lastFragmentMs ?? Date.now()
    const state = camera.forced?.state ?? this.#natural(camera)
    const reason = camera.forced?.reason ?? null
    const rest = { source: 'camera', targetDuration: 1, renditions: [], past: NO_REACH } as const
    return { state, reason, sinceMs, lastFragmentMs, ...rest }
  }

  #natural({ lastMs, asked }: Camera): StreamState {
    if (lastMs === null) return asked ? 'starting' : 'idle'
    const { staleAfterMs = 3000, offlineAfterMs = 6000 } = this.#options
    const age = Date.now() - lastMs
    if (age > offlineAfterMs) return 'offline'
    return age > staleAfterMs ? 'stale' : 'live'
  }

  #media(app: FastifyInstance): void {
    app.get<{ Params: { name: string; '*': string } }>('/hls/:name/*', async (request, reply) => {
      const camera = this.#cameras.get(request.params.name)
      if (camera === undefined) return problem(reply, 404, 'stream_not_found')
      if (camera.fault !== undefined) return problem(reply, camera.fault, 'no_media')
      // Like the gateway, a first request waits for media, and its connection with it.
      camera.interest(Date.now())
      for (let i = 0; camera.segments.length === 0 && i < 80; i += 1) await sleep(100)
      if (camera.segments.length === 0) return problem(reply, 503, 'no_media')
      return this.#answer(reply, camera, request.params['*'])
    })
  }

  #answer(reply: FastifyReply, camera: Camera, path: string): FastifyReply {
    const { media } = this.#options
    const [, track, kind, second] = /^(video|audio)(?:\/(init|\d+)(?:-(\d+))?)?/.exec(path) ?? []
    if (track === undefined) return reply.type(PLAYLIST).send(MASTER)
    const loop = track === 'video' ? media.video : media.audio
    if (kind === undefined) return reply.type(PLAYLIST).send(mediaPlaylist(camera, track))
    if (kind === 'init') return reply.type('video/mp4').send(loop.init)
    return reply.type('video/mp4').send(loop.fragment(Number(second)))
  }
}

const PLAYLIST = 'application/vnd.apple.mpegurl'

const MASTER = [
  '#EXTM3U',
  '#EXT-X-VERSION:7',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=320x180,AUDIO="audio"',
  'video.m3u8',
  '',
].join('\n')

function mediaPlaylist({ segments, discontinuitySequence }: Camera, track: string): string {
  const lines = segments.flatMap(({ msn, second, discontinuity }) => [
    ...(discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(second * 1000).toISOString()}`,
    '#EXTINF:1.000,',
    `${track}/${msn}-${second}.m4s`,
  ])
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.msn ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    `#EXT-X-MAP:URI="${track}/init.mp4"`,
    ...lines,
    '',
  ].join('\n')
}

function problem(reply: FastifyReply, status: number, code: string): FastifyReply {
  const body = JSON.stringify({ type: 'about:blank', title: code, status, code })
  return reply.code(status).type('application/problem+json').header('retry-after', '1').send(body)
}
