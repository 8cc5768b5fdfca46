import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import type { BeatArgs, Reach } from '../cluster/leases.ts'
import type { AppendArgs } from '../cluster/shared-timelines.ts'
import { PEER_FIELDS } from '../http/peers.ts'
import { errorCode } from '../streams/owners-word.ts'
import type { StreamOrder } from '../streams/stream-order.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'

/** How long another node may take to ask Redis: it waits for that half a second. */
const RENEW_MS = 1_000
/** How long it may take to have more to tell: it waits for that two seconds. */
const MORE_MS = 4_000
/** How long it may take to carry out an order: the longest is to stop, which closes sessions. */
const ORDER_MS = 5_000
/** How long its answer may be: it names all streams of all nodes. */
const MAX_BYTES = 16 * 2 ** 20

const never = new AbortController().signal

/** Asks another node to renew what this one holds; null when nobody is there, or Redis does not answer there either. */
export function renewVia(asking: Asking, peer: Reach, beat: BeatArgs): Promise<unknown> {
  const question = { method: 'POST', path: '/renew', body: JSON.stringify(beat) } as const
  return unlessGone(ask(asking, peer, question, RENEW_MS, never))
}

/** Makes it null that nobody listens there any more. */
async function unlessGone(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked
  } catch (error) {
    if (isRefused(error)) return null
    throw error
  }
}

/** Has another node append a fact that Redis does not take here; null when nobody is there, or it does not there either. */
export function appendVia(asking: Asking, peer: Reach, append: AppendArgs): Promise<unknown> {
  const question = { method: 'POST', path: '/append', body: JSON.stringify(append) } as const
  return unlessGone(ask(asking, peer, question, RENEW_MS, never))
}

/** Asks another node for what it knows of a stream of its own beyond the fact of that number; null when that is nothing. */
export function moreVia(
  asking: Asking,
  peer: Reach,
  stream: string,
  after: number,
  signal: AbortSignal,
): Promise<unknown> {
  const question = { method: 'GET', path: `/facts/${stream}?after=${after}` } as const
  return ask(asking, peer, question, MORE_MS, signal)
}

/**
 * Has another node carry out an order.
 * @throws GatewayError why it cannot; another error where it does not say
 */
export async function orderVia(
  asking: Asking,
  peer: Reach,
  stream: string,
  order: StreamOrder,
): Promise<void> {
  const path = `/orders/${stream}`
  const answer = await ask(
    asking,
    peer,
    { method: 'POST', path, body: JSON.stringify(order), refusals: true },
    ORDER_MS,
    never,
  )
  if (answer === null) return
  const { code, detail } = refusal.parse(answer)
  throw new GatewayError(code, detail)
}

const refusal = z.object({ code: errorCode, detail: z.string() })

/** What nodes are asked with. */
export interface Asking {
  readonly agent: Pick<UpstreamAgent, 'load'>
  readonly clock: Clock
}

interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  /** Whether it may be refused, with a problem document. */
  readonly refusals?: boolean
}

function ask(
  { agent, clock }: Asking,
  { url, secret }: Reach,
  { method, path, body, refusals = false }: Question,
  ms: number,
  parent: AbortSignal,
): Promise<unknown> {
  return withDeadline(clock, 'asking another node', ms, parent, async (signal) => {
    const headers = { [PEER_FIELDS.secret]: secret, 'content-type': 'application/json' }
    const dispatcher = await agent.load(url)
    const answer = await dispatcher.request({
      origin: url,
      path,
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    })
    try {
      if (answer.statusCode !== 200 && !refusals)
        throw new Error(`the node answered ${answer.statusCode}`)
      return await readJson(answer.body)
    } finally {
      letGo(answer.body)
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
