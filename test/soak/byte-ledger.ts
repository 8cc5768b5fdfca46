import { createHash } from 'node:crypto'

const NAMES_KEPT = 50_000

/**
 * What each name of a segment or an init segment stood for when somebody fetched it last (G1): the same
 * bytes in every list that has it, live, DVR or archive, whoever asks and whenever.
 */
export class ByteLedger {
  readonly #digests = new Map<string, string>()

  /** Whether the bytes are those of before, if there is a before. */
  agrees(stream: string, url: URL, bytes: Buffer): boolean {
    const name = `${stream}/${url.pathname.split('/').slice(-2).join('/')}`
    const now = createHash('sha256').update(bytes).digest('base64')
    const before = this.#digests.get(name)
    this.#digests.set(name, now)
    const [oldest] = this.#digests.keys()
    if (this.#digests.size > NAMES_KEPT && oldest !== undefined) this.#digests.delete(oldest)
    return before === undefined || before === now
  }
}
