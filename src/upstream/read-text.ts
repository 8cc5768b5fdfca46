import type { UpstreamAgent } from './agent.ts'
import { BodyReader } from './answer.ts'
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
  const answer = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers: { accept, 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
    signal,
  })
  try {
    if (answer.statusCode !== 200) throw new Error(`expected 200, got ${answer.statusCode}`)
    // Whether it is whole is for whoever parses it to say.
    const bytes = await new BodyReader({ maxBytes }).read(answer, { bytes: 0 }, () => true)
    return bytes.toString()
  } finally {
    answer.body.destroy()
  }
}
