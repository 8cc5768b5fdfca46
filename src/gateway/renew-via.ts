import type { Readable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { BeatArgs, Reach } from '../cluster/leases.ts'
import { PEER_FIELDS } from '../http/peers.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'

/** How long another node may take to ask Redis: it waits for that half a second. */
const RENEW_MS = 1_000
/** How long its answer may be: it names all streams of all nodes. */
const MAX_BYTES = 16 * 2 ** 20

const never = new AbortController().signal

/** Asks another node to renew what this one holds; null when nobody is there, or Redis does not answer there either. */
export function renewVia(
  agent: Pick<UpstreamAgent, 'load'>,
  clock: Clock,
  { url, secret }: Reach,
  beat: BeatArgs,
): Promise<unknown> {
  return withDeadline(clock, 'asking another node', RENEW_MS, never, async (signal) => {
    try {
      const answer = await (await agent.load()).request({
        origin: url,
        path: '/renew',
        method: 'POST',
        headers: { [PEER_FIELDS.secret]: secret, 'content-type': 'application/json' },
        body: JSON.stringify(beat),
        signal,
      })
      try {
        if (answer.statusCode !== 200) throw new Error(`the node answered ${answer.statusCode}`)
        return await readJson(answer.body)
      } finally {
        letGo(answer.body)
      }
    } catch (error) {
      // Nobody listens there any more.
      if (isRefused(error)) return null
      throw error
    }
  })
}

/** Lets go of the socket; a body that is already complete does not mind. */
export function letGo(body: Readable): void {
  body.on('error', () => {})
  body.destroy()
}

async function readJson(body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}
