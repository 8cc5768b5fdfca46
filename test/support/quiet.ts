import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn, setTimeout as realSleep } from 'node:timers/promises'

/**
 * Requests that clients of this process have begun and not ended. The requests themselves: one that is given
 * up may end before it has begun, or twice.
 */
const asked = new Set<unknown>()
/** Requests that servers of this process are answering. */
let answering = 0
/** Things seen to happen to any of them. */
let events = 0

function on(channels: readonly string[], react: (message: unknown) => void): void {
  for (const channel of channels) {
    subscribe(channel, (message) => {
      events += 1
      react(message)
    })
  }
}

on(['undici:request:create', 'http.client.request.start'], (message) => {
  asked.add(requestOf(message))
})
on(
  [
    'undici:request:trailers',
    'undici:request:error',
    'http.client.response.finish',
    'http.client.request.error',
  ],
  (message) => {
    asked.delete(requestOf(message))
  },
)
on(['undici:request:headers'], () => {})
on(['http.server.request.start'], (message) => {
  answering += 1
  const { response } = message as { response: ServerResponse }
  response.once('close', () => {
    events += 1
    answering -= 1
  })
})

function requestOf(message: unknown): unknown {
  return (message as { request: unknown }).request
}

/** What one turn of the event loop finds may begin something new in the next ones. */
const CALM_TURNS = 3
/**
 * Looks without an event until all requests that servers hold count as waiting for the clock. Looks rather
 * than time: a slow machine makes milliseconds long, but leaves no turn of its event loop out.
 */
const SERVERS_WAIT = 6
/** Until requests on their way between client and server count as stuck; a busy kernel takes its time. */
const STUCK = 60

/**
 * Resolves when this process can do nothing more without time passing on its test's clock: no request is
 * under way, or those that are wait for it too, and no file is being written.
 */
export async function quiet(): Promise<void> {
  let silent = 0
  let seen = events
  let isWriting = false
  while (silent < patience()) {
    // The kernel needs no turns of ours to write a file.
    await (silent < CALM_TURNS && !isWriting ? nextTurn() : realSleep(1))
    isWriting = isBusyWithFiles()
    silent = events !== seen || isWriting ? 0 : silent + 1
    seen = events
  }
}

function patience(): number {
  if (asked.size === 0) return CALM_TURNS
  return asked.size <= answering ? SERVERS_WAIT : STUCK
}

/** Closing a file is a request of its own kind. */
function isBusyWithFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|CloseReq|Zlib)/.test(name))
}
