import type { ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import { type Delivery, half } from '../service/delivery.ts'

/** How many pieces a second a slow body goes out in. */
const PIECES_PER_SECOND = 10

/** Writes an answer the way its faults want it. Rejects when the signal aborts. */
export async function send(
  response: ServerResponse,
  { answer, reset, bytesPerSecond }: Delivery,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (reset === 'before') {
    response.destroy()
    return
  }
  const { status, headers, body } = answer
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': body.length }
  response.writeHead(status, { ...headers, ...length })
  if (reset === 'half-way') {
    response.write(half(body), () => response.destroy())
    return
  }
  if (bytesPerSecond !== undefined) await trickle(response, body, bytesPerSecond, clock, signal)
  else response.end(body)
}

async function trickle(
  response: ServerResponse,
  body: Buffer,
  bytesPerSecond: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const piece = Math.max(1, Math.round(bytesPerSecond / PIECES_PER_SECOND))
  for (let at = 0; at < body.length; at += piece) {
    response.write(body.subarray(at, at + piece))
    await clock.sleep((1000 * piece) / bytesPerSecond, signal)
  }
  response.end()
}
