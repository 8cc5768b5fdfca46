import type { UpstreamAgent } from './agent.ts'
import { USER_AGENT } from './exchange.ts'

/** What a small document is read with. */
export interface TextReader {
  readonly agent: Pick<UpstreamAgent, 'request'>
  readonly url: URL
  readonly accept: string
  readonly maxBytes: number
}

/**
 * Reads a small document that an operator has named, as text. It follows no redirects.
 * @throws when the answer is no 200, or longer than it may be; the signal's reason once it aborts
 */
export async function readText(
  { agent, url, accept, maxBytes }: TextReader,
  signal: AbortSignal,
): Promise<string> {
  const { statusCode, body } = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers: { accept, 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
    signal,
  })
  try {
    if (statusCode !== 200) throw new Error(`expected 200, got ${statusCode}`)
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk as Uint8Array)
      length += bytes.length
      if (length > maxBytes) throw new Error(`expected at most ${maxBytes} bytes`)
      chunks.push(bytes)
    }
    return Buffer.concat(chunks).toString()
  } finally {
    // Lets go of the socket where not all was read.
    body.on('error', () => {})
    body.destroy()
  }
}
