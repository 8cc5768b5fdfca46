import { createHash } from 'node:crypto'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { type Answer, ask } from '../support/raw-http.ts'
import type { History } from './history.ts'

/** What a gateway of a {@link History} publishes, as text to be compared. */
export class Published {
  readonly #history: History
  readonly #text: string[] = []
  /** Editions of the DVR list, as they were met: their numbers say when they began, which is the machine's. */
  readonly #editions: string[] = []

  constructor(history: History) {
    this.#history = history
  }

  get text(): string {
    return this.#text.join('')
  }

  /** Notes a playlist with all its lines. @param path below `/hls/lobby/` */
  async list(path: string): Promise<void> {
    const { status, headers, body } = await this.#ask(path)
    const head = [headers['content-type'], headers['cache-control'], headers['vary']].join(' | ')
    this.#note(`=== ${path}\n${status} ${head}\n${String(body)}\n`)
  }

  /** Notes a long playlist: its head, how many lines it has, and their hash. */
  async brief(path: string): Promise<void> {
    const text = String((await this.#ask(path)).body)
    const lines = text.split('\n')
    const head = lines
      .slice(
        0,
        lines.findIndex((line) => line.startsWith('#EXTINF')),
      )
      .join('\n')
    this.#note(`=== ${path}, in brief\n${head}\n${lines.length} lines ${hash(text)}\n\n`)
  }

  /** Notes `count` segments of a list, from this MSN on. */
  async some(path: string, fromMsn: number, count: number): Promise<void> {
    const { segments } = await this.#media(path)
    const wanted = segments.filter(({ msn }) => msn >= fromMsn && msn < fromMsn + count)
    const lines = wanted.map((segment) => JSON.stringify(segment))
    this.#note(`=== some of ${path}\n${lines.join('\n')}\n\n`)
  }

  /** Notes what each address of a playlist gives. */
  async bytes(path: string): Promise<void> {
    const { segments } = await this.#media(path)
    const uris = segments.flatMap(({ gap, mapUri, uri }) => (gap ? [] : [mapUri ?? '', uri]))
    this.#note(`=== bytes of ${path}\n`)
    for (const uri of new Set(uris)) {
      const { pathname } = new URL(uri, `http://gateway/hls/lobby/${path}`)
      const { status, headers, body } = await this.#ask(pathname.slice('/hls/lobby/'.length))
      const what = [status, headers['content-type'], body.length, hash(body)].join(' ')
      this.#note(`${uri} ${what}\n`)
    }
    this.#note('\n')
  }

  /** The address of a rendition's DVR list, as of now. */
  async dvr(rendition: string): Promise<string> {
    const text = String((await this.#ask('dvr.m3u8')).body)
    const uri = new RegExp(`dvr-\\d+/${rendition}\\.m3u8`).exec(text)?.[0]
    if (uri === undefined) throw new Error(`no DVR list of ${rendition}: ${text}`)
    return uri
  }

  async newestMsn(path: string): Promise<number> {
    return (await this.#media(path)).segments.at(-1)?.msn ?? 0
  }

  async #media(path: string): Promise<ReturnType<typeof parseMediaPlaylist>> {
    return parseMediaPlaylist(String((await this.#ask(path)).body))
  }

  #ask(path: string): Promise<Answer> {
    const { during, world } = this.#history
    return during(ask(new URL(path, world.watchUrl()).href))
  }

  #note(text: string): void {
    this.#text.push(text.replaceAll(/dvr-\d+/g, (edition) => this.#editionName(edition)))
  }

  #editionName(edition: string): string {
    if (!this.#editions.includes(edition)) this.#editions.push(edition)
    return `dvr-{${this.#editions.indexOf(edition) + 1}}`
  }
}

function hash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16)
}
