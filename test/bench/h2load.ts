import { text } from 'node:stream/consumers'
import { pinned } from './pinned.ts'
import type { WrkOptions } from './wrk.ts'

/** Requests that a connection carries at a time, as of a browser with a few players. */
const STREAMS = 4

/** How many requests tell roughly how many go into a second. */
const FIRST_REQUESTS = 200

/**
 * Requests per second that one URL answers over HTTP/2, as h2load counts them. Throws if one was not answered with 2xx.
 * It is told how many to send, because h2load 1.52 sometimes hangs when it is told for how long.
 */
export async function h2load(url: string, options: WrkOptions): Promise<number> {
  const roughly = await send(url, FIRST_REQUESTS, options)
  return send(url, Math.max(FIRST_REQUESTS, Math.ceil(roughly * options.seconds)), options)
}

async function send(
  url: string,
  requests: number,
  { core, connections }: WrkOptions,
): Promise<number> {
  const child = pinned(core, 'h2load', [`-c${connections}`, `-m${STREAMS}`, `-n${requests}`, url])
  if (child.stdout === null) throw new Error('h2load has no output')
  return parseH2load(await text(child.stdout))
}

export function parseH2load(output: string): number {
  const [, errored] = /(\d+) failed, (?:\d+) errored/.exec(output) ?? []
  const [, good, ...others] =
    /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output) ?? []
  if (errored !== '0' || good === '0' || others.some((count) => count !== '0')) {
    throw new Error(`h2load met errors:\n${output}`)
  }
  const rate = /finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1]
  if (rate === undefined) throw new Error(`h2load gave no rate:\n${output}`)
  return Number(rate)
}
