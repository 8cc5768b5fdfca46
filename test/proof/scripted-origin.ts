import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { AUDIO, initSegment, mediaSegment, type SyntheticTrack, VIDEO } from './synthetic-media.ts'

export type RenditionName = 'video' | 'audio'

/** What a test changes, one lie at a time; everything else stays true. */
export interface Tampering {
  multivariant?: (text: string) => string
  playlist?: (text: string, rendition: RenditionName) => string
  /** undefined: 404. */
  segment?: (bytes: Buffer, rendition: RenditionName, msn: number) => Buffer | undefined
  /** Shifts the tfdt that segments are made with, in milliseconds. */
  shiftMs?: (rendition: RenditionName, msn: number) => number
  profile?: (msn: number) => readonly [number, number, number]
  /** How long the answer waits, in milliseconds of real time. */
  delayMs?: (path: string) => number
  answer?: (answer: Scripted, path: string, request: IncomingMessage) => Scripted
}

export interface Scripted {
  status: number
  headers: Record<string, string>
  body: Buffer
}

const FIRST_MS = Date.UTC(2026, 0, 1)
const FRAGMENT_MS = 2_000
const WINDOW = 6
const FIRST_MSN = 100

/**
 * A live HLS origin whose camera never fails and whose clock is the test: 2-s fragments of video and
 * audio, one more with each {@link advance}. True to the contract until a test tampers with it.
 */
export class ScriptedOrigin {
  readonly #server: Server
  readonly tampering: Tampering = {}
  /** MSNs that begin after a gap. */
  readonly gaps = new Set<number>()
  /** Whole seconds. */
  gapMs = 10_000
  /** The first and last MSN that have no audio. */
  silence: readonly [number, number] | undefined
  #newest = FIRST_MSN + WINDOW - 1

  private constructor() {
    this.#server = createServer((request, response) => this.#serve(request, response))
  }

  static async start(): Promise<ScriptedOrigin> {
    const origin = new ScriptedOrigin()
    await new Promise<void>((resolve) => {
      origin.#server.listen(0, '127.0.0.1', resolve)
    })
    return origin
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return `http://127.0.0.1:${address.port}/hls/lobby/master.m3u8`
  }

  get newest(): number {
    return this.#newest
  }

  advance(fragments = 1): void {
    this.#newest += fragments
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? ''
    const plain = negotiated(this.#resource(path), request)
    const { status, headers, body } = this.tampering.answer?.(plain, path, request) ?? plain
    response.writeHead(status, headers)
    const send = (): void => {
      if (request.method === 'HEAD') response.end()
      else if (body.length < Number(headers['content-length'] ?? 0)) breakOff(response, body)
      else response.end(body)
    }
    const delayMs = Math.max(0, this.tampering.delayMs?.(path) ?? 0)
    if (delayMs === 0) send()
    else setTimeout(send, delayMs)
  }

  #resource(path: string): Scripted {
    const [, rendition, msn] = /^\/hls\/lobby\/(video|audio)\/(\d+)\.m4s$/.exec(path) ?? []
    if (isRendition(rendition) && msn !== undefined) return this.#segment(rendition, Number(msn))
    const [, list] = /^\/hls\/lobby\/(video|audio)\.m3u8$/.exec(path) ?? []
    if (isRendition(list)) return playlist(this.#playlist(list))
    const [, of, id] = /^\/hls\/lobby\/(video|audio)\/init-(\w+)\.mp4$/.exec(path) ?? []
    if (isRendition(of) && id !== undefined) return media(of, initSegment(withId(of, id)))
    return path === '/hls/lobby/master.m3u8' ? playlist(this.#multivariant()) : notFound()
  }

  #multivariant(): string {
    const audio = 'GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8"'
    const mute = this.#listed().every((msn) => this.#silent(msn))
    const text = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      ...(mute ? [] : [`#EXT-X-MEDIA:TYPE=AUDIO,${audio}`]),
      mute
        ? '#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.64001f",RESOLUTION=640x360'
        : '#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"',
      'video.m3u8',
      '',
    ].join('\n')
    return this.tampering.multivariant?.(text) ?? text
  }

  #playlist(rendition: RenditionName): string {
    const first = this.#newest - WINDOW + 1
    const removed = this.#breaksBefore(first)
    const segments = this.#listed().map((msn) => this.#lines(rendition, msn, msn === first))
    const text = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:3',
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      `#EXT-X-DISCONTINUITY-SEQUENCE:${7 + removed}`,
      '#EXT-X-INDEPENDENT-SEGMENTS',
      ...segments.flat(),
      '',
    ].join('\n')
    return this.tampering.playlist?.(text, rendition) ?? text
  }

  #lines(rendition: RenditionName, msn: number, first: boolean): readonly string[] {
    const { startTicks, samples } = this.#span(rendition, msn)
    const track = trackOf(rendition)
    const pdt = new Date(Math.round(Number((startTicks * 1000n) / BigInt(track.timescale))))
    const id = this.#initId(rendition, msn)
    const mute = rendition === 'audio' && this.#silent(msn)
    const wasMute = rendition === 'audio' && this.#silent(msn - 1)
    const changed = first || wasMute || id !== this.#initId(rendition, msn - 1)
    return [
      ...(this.#breaks(msn) ? ['#EXT-X-DISCONTINUITY'] : []),
      ...(changed && !mute ? [`#EXT-X-MAP:URI="${rendition}/init-${id}.mp4"`] : []),
      `#EXT-X-PROGRAM-DATE-TIME:${pdt.toISOString()}`,
      `#EXTINF:${((samples * track.sampleTicks) / track.timescale).toFixed(5)},`,
      ...(mute ? ['#EXT-X-GAP'] : []),
      `${rendition}/${msn}.m4s`,
    ]
  }

  #segment(rendition: RenditionName, msn: number): Scripted {
    const { startTicks, samples } = this.#span(rendition, msn)
    const track = withId(rendition, this.#initId(rendition, msn))
    const shift = this.tampering.shiftMs?.(rendition, msn) ?? 0
    const base = startTicks + BigInt(Math.round((shift * track.timescale) / 1000))
    const bytes = mediaSegment(track, base, samples, msn % 256)
    const body =
      this.tampering.segment === undefined ? bytes : this.tampering.segment(bytes, rendition, msn)
    return body === undefined ? notFound() : media(rendition, body)
  }

  #listed(): readonly number[] {
    return Array.from({ length: WINDOW }, (_, i) => this.#newest - WINDOW + 1 + i)
  }

  #silent(msn: number): boolean {
    const [from, to] = this.silence ?? [0, -1]
    return from <= msn && msn <= to
  }

  /** Where media is missing, or a track changes its parameters, comes or goes, all renditions break. */
  #breaks(msn: number): boolean {
    const retuned = this.#initId('video', msn) !== this.#initId('video', msn - 1)
    return this.gaps.has(msn) || retuned || this.#silent(msn) !== this.#silent(msn - 1)
  }

  #breaksBefore(end: number): number {
    let breaks = 0
    for (let msn = FIRST_MSN; msn < end; msn += 1) if (this.#breaks(msn)) breaks += 1
    return breaks
  }

  #initId(rendition: RenditionName, msn: number): string {
    const profile = this.tampering.profile?.(msn) ?? VIDEO.profile
    return rendition === 'video' ? Buffer.from(profile).toString('hex') : '000000'
  }

  /** Video by its frames; audio by the AAC frames whose beginnings fall into the fragment. */
  #span(rendition: RenditionName, msn: number): { startTicks: bigint; samples: number } {
    const { timescale, sampleTicks } = trackOf(rendition)
    const pauses = [...this.gaps].filter((gap) => gap <= msn).length
    const origin = BigInt((FIRST_MS + pauses * this.gapMs) / 1000) * BigInt(timescale)
    const frameAt = (index: number): number =>
      Math.round((index * FRAGMENT_MS * timescale) / (1000 * sampleTicks))
    const index = msn - FIRST_MSN
    const first = frameAt(index)
    return { startTicks: origin + BigInt(first * sampleTicks), samples: frameAt(index + 1) - first }
  }
}

/** A body shorter than announced ends as it does when a server dies. */
function breakOff(response: ServerResponse, body: Buffer): void {
  response.write(body, () => response.destroy())
}

const isRendition = (name: string | undefined): name is RenditionName =>
  name === 'video' || name === 'audio'

const trackOf = (rendition: RenditionName): SyntheticTrack =>
  rendition === 'video' ? VIDEO : AUDIO

function withId(rendition: RenditionName, id: string): SyntheticTrack {
  const [a = 0, b = 0, c = 0] = Buffer.from(id.slice(0, 6), 'hex')
  return { ...trackOf(rendition), profile: [a, b, c] }
}

function playlist(text: string): Scripted {
  const headers = {
    'content-type': 'application/vnd.apple.mpegurl',
    'cache-control': 'public, max-age=1',
    vary: 'Accept-Encoding',
  }
  return { status: 200, headers, body: Buffer.from(text) }
}

function media(rendition: RenditionName, body: Buffer): Scripted {
  const headers = {
    'content-type': `${rendition}/mp4`,
    'cache-control': 'public, max-age=31536000, immutable',
    'accept-ranges': 'bytes',
  }
  return { status: 200, headers, body }
}

function notFound(): Scripted {
  return { status: 404, headers: { 'cache-control': 'max-age=1' }, body: Buffer.alloc(0) }
}

/** gzip, ETag, 304 and Range, as small as they can be and still right. */
function negotiated(resource: Scripted, request: IncomingMessage): Scripted {
  if (resource.status !== 200) return withLength(resource)
  const zip = /gzip/.test(request.headers['accept-encoding'] ?? '') && 'vary' in resource.headers
  const body = zip ? gzipSync(resource.body) : resource.body
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`
  const headers: Record<string, string> = {
    ...resource.headers,
    etag,
    'access-control-allow-origin': '*',
    'cache-status': 'scripted; hit',
    ...(zip ? { 'content-encoding': 'gzip' } : {}),
  }
  if (request.headers['if-none-match'] === etag)
    return { status: 304, headers, body: Buffer.alloc(0) }
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers['range'] ?? '') ?? []
  if (from === undefined || to === undefined) return withLength({ status: 200, headers, body })
  headers['content-range'] = `bytes ${from}-${to}/${body.length}`
  return withLength({ status: 206, headers, body: body.subarray(Number(from), Number(to) + 1) })
}

function withLength({ status, headers, body }: Scripted): Scripted {
  return { status, headers: { ...headers, 'content-length': String(body.length) }, body }
}
