import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { Agent } from 'undici'
import type { Finding } from './fault.ts'
import { type Answer, httpGet } from './http-get.ts'

const IDENTITY = { 'accept-encoding': 'identity' }

/** The server under judgement, as one careful client sees it. */
export class Origin {
  readonly #agent = new Agent({ connections: 6, pipelining: 1 })
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** A whole answer. Rejects when the connection fails or the signal aborts. */
  get(
    url: URL,
    headers: Readonly<Record<string, string>> = {},
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<Answer> {
    const options = { method, headers: { ...IDENTITY, ...headers }, keep: true }
    return httpGet(this.#agent, url, { ...options, signal: this.#signal })
  }

  /** A judge who was called off says so, rather than blaming the server. */
  throwIfClosed(): void {
    this.#signal.throwIfAborted()
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  /** A second question with the ETag must bring 304 and no body, or another ETag. */
  async checkNotModified(url: URL, answer: Answer): Promise<readonly Finding[]> {
    const etag = answer.headers['etag']
    if (etag === undefined) return []
    const again = await this.get(url, { 'if-none-match': etag })
    const changed = again.status === 200 && again.headers['etag'] !== etag
    if (changed || (again.status === 304 && again.length === 0)) return []
    const detail = `If-None-Match ${etag}: ${again.status} with ${again.length} bytes`
    return [{ kind: 'not-modified', detail }]
  }

  /** The gzip form must be there, under an ETag of its own, and hold the same text. */
  async checkGzip(url: URL, before: Answer): Promise<readonly Finding[]> {
    const zipped = await this.get(url, { 'accept-encoding': 'gzip' })
    const after = await this.get(url)
    // A live list that changed in between proves nothing; the next poll tries again.
    if (zipped.status !== 200 || !after.body.equals(before.body)) return []
    if (zipped.headers['content-encoding'] !== 'gzip') {
      return [{ kind: 'gzip-differs', detail: 'no gzip, though it was accepted' }]
    }
    if (zipped.headers['etag'] === before.headers['etag']) {
      return [{ kind: 'gzip-differs', detail: 'one strong ETag for two byte strings' }]
    }
    if (gunzipSync(zipped.body).equals(before.body)) return []
    return [{ kind: 'gzip-differs', detail: 'gzip and identity hold different text' }]
  }

  /** A part, and the head alone, must agree with the whole. */
  async checkRange(url: URL, whole: Answer): Promise<readonly Finding[]> {
    const last = Math.min(99, whole.length - 1)
    const part = await this.get(url, { range: `bytes=0-${last}` })
    const head = await this.get(url, {}, 'HEAD')
    const findings: Finding[] = []
    const contentRange = part.headers['content-range']
    if (
      part.status !== 206 ||
      contentRange !== `bytes 0-${last}/${whole.length}` ||
      !part.body.equals(whole.body.subarray(0, last + 1))
    ) {
      const detail = `Range 0-${last}: ${part.status}, ${contentRange}, ${part.length} bytes`
      findings.push({ kind: 'range-differs', detail })
    }
    const announced = head.headers['content-length']
    if (head.status !== 200 || announced !== String(whole.length) || head.length > 0) {
      findings.push({ kind: 'range-differs', detail: `HEAD: ${head.status}, length ${announced}` })
    }
    return findings
  }
}

export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
