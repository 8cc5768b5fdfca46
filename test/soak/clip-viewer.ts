import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool } from '../proof/ffmpeg.ts'
import { between } from '../proof/seeded-random.ts'
import type { Watcher } from './audience.ts'
import type { PastClient } from './past-client.ts'

/** A process for each would take the machine from what is being looked at. */
const PROBE_EVERY = 4

/** Cuts clips of the last minutes and looks whether they are whole. */
export class ClipViewer implements Watcher {
  readonly #client: PastClient
  readonly #url: URL
  #clips = 0

  /** @param url `/clip/{stream}.mp4` */
  constructor(client: PastClient, url: URL) {
    this.#client = client
    this.#url = url
  }

  get counts(): PastClient['counts'] {
    return this.#client.counts
  }

  get seen(): PastClient['seen'] {
    return this.#client.seen
  }

  watch(): Promise<void> {
    return this.#client.again(async () => {
      await this.#cut()
      await this.#client.pause(between(this.#client.options.random, 2, 10) * 1000)
    })
  }

  async #cut(): Promise<void> {
    const { random, clock } = this.#client.options
    const endMs = clock.now() - between(random, 20, 300) * 1000
    const span = { startMs: endMs - between(random, 20, 40) * 1000, endMs }
    const url = new URL(this.#url)
    url.searchParams.set('start', String(span.startMs / 1000))
    url.searchParams.set('end', String(span.endMs / 1000))
    const answer = await this.#client.get(url, span)
    if (answer === undefined) return
    this.#client.saw('clips')
    const announced = answer.headers['content-length']
    if (announced !== String(answer.length)) {
      this.#client.incident('clip-length', url, `${announced} announced, ${answer.length} sent`)
    }
    this.#clips += 1
    if (this.#clips % PROBE_EVERY === 1) await this.#probe(url, answer.body)
  }

  /** Every packet of every track must be where the index says. */
  async #probe(url: URL, clip: Buffer): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'kvs-clip-'))
    try {
      const file = join(folder, 'clip.mp4')
      await writeFile(file, clip)
      const args = ['-v', 'warning', '-count_packets', '-show_entries', 'stream=nb_read_packets']
      const { stdout, stderr, code } = await runTool('ffprobe', [...args, '-of', 'csv=p=0', file])
      this.#client.saw('clips probed')
      const counts = String(stdout).trim().split('\n').map(Number)
      if (code === 0 && stderr.length === 0 && counts.every((count) => count > 0)) return
      this.#client.incident('clip-damaged', url, `${code} ${counts.join()} ${stderr.join(' | ')}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
