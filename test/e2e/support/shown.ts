import { Agent } from 'undici'
import { httpGet } from '../../proof/http-get.ts'
import { parseMediaPlaylist } from '../../proof/media-playlist.ts'
import { parseMultivariantPlaylist } from '../../proof/multivariant-playlist.ts'
import { digest } from '../../proof/origin.ts'

/** A segment as a player sees it. */
export interface ShownSegment {
  readonly url: string
  readonly rendition: string
  readonly msn: number
  readonly extinf: string
  /** What it and its init segment came to: `200` and their SHA-256, or another status. */
  readonly content: string
}

/** Everything that a stream lists now, fetched. Rejects when a playlist is not to be had. */
export async function shown(watchUrl: string): Promise<readonly ShownSegment[]> {
  const agent = new Agent()
  try {
    const { renditions } = parseMultivariantPlaylist(await text(agent, watchUrl))
    const lists = renditions.map(({ name, uri }) => list(agent, name, new URL(uri, watchUrl)))
    return (await Promise.all(lists)).flat()
  } finally {
    await agent.close()
  }
}

/** What a URL answers now: `200` and the SHA-256, or another status. */
export async function contentOf(url: string): Promise<string> {
  const agent = new Agent()
  try {
    return await content(agent, new URL(url))
  } finally {
    await agent.close()
  }
}

async function list(agent: Agent, rendition: string, url: URL): Promise<readonly ShownSegment[]> {
  const { segments } = parseMediaPlaylist(await text(agent, url))
  const media = segments.filter(({ gap }) => !gap)
  return Promise.all(
    media.map(async ({ msn, extinf, uri, mapUri = '' }) => ({
      url: new URL(uri, url).href,
      rendition,
      msn,
      extinf,
      content: `${await content(agent, new URL(mapUri, url))} ${await content(agent, new URL(uri, url))}`,
    })),
  )
}

async function content(agent: Agent, url: URL): Promise<string> {
  const { status, body } = await get(agent, url)
  return status === 200 ? `200 ${digest(body)}` : String(status)
}

async function text(agent: Agent, url: string | URL): Promise<string> {
  const { status, body } = await get(agent, new URL(url))
  if (status !== 200) throw new Error(`${String(url)}: ${status}`)
  return body.toString()
}

function get(agent: Agent, url: URL): ReturnType<typeof httpGet> {
  return httpGet(agent, url, { keep: true, signal: AbortSignal.timeout(15_000) })
}
