import { subscribe } from 'node:diagnostics_channel'
import { setImmediate as nextTurn, setTimeout as realSleep } from 'node:timers/promises'

/** Requests of this process that have no answer yet, whichever client sends them. */
let underWay = 0
/** Things seen to happen to any request, as a client or as a server. */
let events = 0

const BEGIN = ['undici:request:create', 'http.client.request.start']
const END = [
  'undici:request:trailers',
  'undici:request:error',
  'http.client.response.finish',
  'http.client.request.error',
]
const STEPS = ['undici:request:headers', 'http.server.request.start', 'http.server.response.finish']

function on(channels: readonly string[], change: number): void {
  for (const channel of channels) {
    subscribe(channel, () => {
      underWay += change
      events += 1
    })
  }
}
on(BEGIN, 1)
on(END, -1)
on(STEPS, 0)

/** What one turn of the event loop finds may begin something new in the next ones. */
const CALM_TURNS = 3
/**
 * Looks at requests to which nothing happens: they wait for the clock. Counted in looks, as a slow machine
 * makes milliseconds long but leaves no turn of its event loop out; the last of them a millisecond apart.
 */
const SILENT_LOOKS = { quick: 20, slow: 5 } as const

/**
 * Resolves when this process can do nothing more without time passing on its test's clock: no request is
 * under way, or those that are wait for it too, and no file is being written.
 */
export async function quiet(): Promise<void> {
  let calm = 0
  let silent = 0
  let seen = events
  while (calm < CALM_TURNS && silent < SILENT_LOOKS.quick + SILENT_LOOKS.slow) {
    const waiting = underWay > 0
    await (silent >= SILENT_LOOKS.quick ? realSleep(1) : nextTurn())
    const changed = events !== seen || isBusyWithFiles()
    seen = events
    calm = changed || waiting ? 0 : calm + 1
    silent = changed ? 0 : silent + (waiting ? 1 : 0)
  }
}

function isBusyWithFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|Zlib)/.test(name))
}
