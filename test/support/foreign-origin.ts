import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Clock } from '../../src/base/clock.ts'

/** What an origin may put before a segment's path, and take back. */
const TOKEN = /^\/token-[^/]*/

export interface ForeignOriginOptions {
  readonly clock: Clock
  /** What `ffmpeg -f hls` left here: whole lists, which are shown as live ones. */
  readonly dir: string
  /** Segments in a list. */
  readonly window?: number
  /** Which segments have an EXT-X-PROGRAM-DATE-TIME. */
  readonly dates?: 'each' | 'first' | 'none'
}

interface Entry {
  readonly lines: readonly string[]
  readonly durationMs: number
  /** EXT-X-MAP and EXT-X-KEY in force. */
  readonly sticky: readonly string[]
}

/**
 * Another HLS origin than a gateway: files that ffmpeg made, in lists that slide as time passes. A list
 * that has come to its end says so.
 */
export class ForeignOrigin {
  readonly #options: ForeignOriginOptions
  readonly #server: Server
  #startMs: number
  /** Paths with the headers that came along. */
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = []
  /** Answers in place of the file; undefined: the file. */
  tamper: (path: string, response: ServerResponse) => boolean = () => false
  /** Changes a list before it is sent. */
  edit: (text: string, path: string) => string = (text) => text
  /** Changes any other file before it is sent. */
  repack: (bytes: Buffer, path: string) => Buffer = (bytes) => bytes
  /** Added to all media sequence numbers. */
  firstSequence = 0
  /** Ranges are ignored, as simple servers do. */
  ignoresRanges = false

  private constructor(options: ForeignOriginOptions) {
    this.#options = options
    this.#startMs = options.clock.now()
    this.#server = createServer((request, response) => {
      try {
        this.#answer(request, response)
      } catch {
        response.writeHead(404).end()
      }
    })
  }

  static async start(options: ForeignOriginOptions): Promise<ForeignOrigin> {
    const origin = new ForeignOrigin(options)
    await new Promise<void>((resolve) => {
      origin.#server.listen(0, '127.0.0.1', resolve)
    })
    return origin
  }

  url(file: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${file}`
  }

  /** Begins again with the first segment, as after the end of a process. */
  restart(): void {
    this.#startMs = this.#options.clock.now()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  /** At once: a test's clock does not wait for a disk. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    this.requests.push({ path: request.url ?? '', headers: request.headers })
    if (this.tamper(path, response)) return
    const file = readFileSync(join(this.#options.dir, path.replaceAll('..', '').replace(TOKEN, '')))
    const isList = extname(path) === '.m3u8'
    const bytes = isList ? file : this.repack(file, path)
    const body = isList ? Buffer.from(this.#list(bytes.toString(), path)) : bytes
    const range = isList || this.ignoresRanges ? undefined : request.headers.range
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    if (from === undefined || to === undefined) {
      response.writeHead(200, { 'content-length': body.length }).end(body)
      return
    }
    const part = body.subarray(Number(from), Number(to) + 1)
    const headers = {
      'content-length': part.length,
      'content-range': `bytes ${from}-${to}/${body.length}`,
    }
    response.writeHead(206, headers).end(part)
  }

  #list(text: string, path: string): string {
    const list = text.includes('#EXTINF') ? this.#slide(text) : text
    return this.edit(list, path)
  }

  #slide(text: string): string {
    const { window = 6, dates = 'each', clock } = this.#options
    const { head, entries } = read(text)
    // A first list has something to start with.
    const playedMs = clock.now() - this.#startMs + totalMs(entries.slice(0, window))
    const count = entries.findIndex((_, i) => totalMs(entries.slice(0, i + 1)) > playedMs)
    const end = count === -1 ? entries.length : count
    const first = Math.max(0, end - window)
    const shown = entries.slice(first, end)
    const offsetMs = totalMs(entries.slice(0, window))
    const lines = shown.flatMap(({ lines: own, sticky }, i) => {
      const startMs = this.#startMs - offsetMs + totalMs(entries.slice(0, first + i))
      const before = shown[i - 1]?.sticky.join()
      return [
        ...(sticky.join() === before ? [] : sticky),
        ...(dates === 'each' || (dates === 'first' && i === 0)
          ? [`#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.round(startMs)).toISOString()}`]
          : []),
        ...own,
      ]
    })
    const ended = count === -1 ? ['#EXT-X-ENDLIST'] : []
    const sequence = `#EXT-X-MEDIA-SEQUENCE:${this.firstSequence + first}`
    return ['#EXTM3U', ...head, sequence, ...lines, ...ended, ''].join('\n')
  }
}

function read(text: string): { head: readonly string[]; entries: readonly Entry[] } {
  const head: string[] = []
  const entries: Entry[] = []
  const sticky = new Map<string, string>()
  let lines: string[] = []
  for (const line of text.split('\n')) {
    const tag = line.split(':')[0] ?? ''
    if (tag === '#EXT-X-MAP' || tag === '#EXT-X-KEY') sticky.set(tag, line)
    else if (tag === '#EXT-X-VERSION' || tag === '#EXT-X-TARGETDURATION') head.push(line)
    else if (tag === '#EXTINF' || tag === '#EXT-X-BYTERANGE') lines.push(line)
    else if (line !== '' && !line.startsWith('#')) {
      const extinf = lines.find((one) => one.startsWith('#EXTINF'))
      const durationMs = Number(/[\d.]+/.exec(extinf ?? '')?.[0] ?? 0) * 1000
      // The key first: it counts for an init segment too.
      entries.push({ lines: [...lines, line], durationMs, sticky: [...sticky.values()] })
      lines = []
    }
  }
  return { head, entries }
}

function totalMs(entries: readonly Entry[]): number {
  return entries.reduce((sum, { durationMs }) => sum + durationMs, 0)
}
