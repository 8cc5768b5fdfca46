import { text } from 'node:stream/consumers'
import { pinned } from './pinned.ts'

export interface WrkOptions {
  readonly core: number
  readonly seconds: number
  readonly connections: number
}

/** Requests per second that one URL answers, as wrk counts them. Throws if one was not answered with 2xx. */
export async function wrk(url: string, options: WrkOptions): Promise<number> {
  const { core, seconds, connections } = options
  const child = pinned(core, 'wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, url])
  if (child.stdout === null) throw new Error('wrk has no output')
  return parseWrk(await text(child.stdout))
}

export function parseWrk(output: string): number {
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk met errors:\n${output}`)
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]
  if (rate === undefined) throw new Error(`wrk gave no rate:\n${output}`)
  return Number(rate)
}
