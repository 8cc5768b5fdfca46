import http from 'node:http'

/** A block of an event stream: its fields, or a comment under the name `''`. */
export type Block = Readonly<Record<string, string>>

/** Somebody who listens to server-sent events, block by block. */
export interface EventStream {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Resolves with the next block; undefined once the stream has ended, or was cut. */
  next(): Promise<Block | undefined>
  leave(): void
}

export async function listenTo(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const request = http.get(url, { headers, agent: false })
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  const blocks = blocksOf(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next: async () => (await blocks.next()).value,
    leave: () => request.destroy(),
  }
}

async function* blocksOf(response: http.IncomingMessage): AsyncGenerator<Block, undefined> {
  let text = ''
  try {
    for await (const chunk of response) {
      text += String(chunk)
      const whole = text.split('\n\n')
      text = whole.pop() ?? ''
      for (const block of whole) yield read(block)
    }
  } catch {
    // Cut, which is an end as well.
  }
  return undefined
}

function read(block: string): Block {
  return Object.fromEntries(
    block.split('\n').map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
}
