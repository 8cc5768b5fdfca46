import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { z } from 'zod'

const WITNESS = fileURLToPath(new URL('in-page/witness.js', import.meta.url))

/**
 * The target duration where a page plays live. Players stay two of them behind: a busy machine keeps them waiting longer than
 * fragments of a second call for.
 */
export const TARGET_S = 4
export const TARGET = `${TARGET_S}s`

/** See in-page/witness.js for what each means. */
const witnessed = z.strictObject({
  playedS: z.number(),
  aheadS: z.number(),
  lostMs: z.number(),
  jumps: z.int(),
  rewinds: z.int(),
  holes: z.int(),
  apartMs: z.number(),
  silences: z.int(),
  starvedMs: z.number(),
  errors: z.array(z.string()),
})

export type Witnessed = z.output<typeof witnessed>

/** hls.js as it is, but whatever it has to complain about is noted. */
const SPIED_HLS = `
import Hls from './hls.mjs?plain'
export default class SpiedHls extends Hls {
  constructor(config) {
    super(config)
    this.on(Hls.Events.ERROR, (_, { details, fatal, error }) => {
      witness.noteError(details + (fatal ? ' (fatal)' : '') + ': ' + String(error?.message))
    })
  }
}
`

/** Watches the video of a page of ours that has one; to be called before the page is loaded. */
export async function placeWitness(page: Page): Promise<void> {
  await page.addInitScript({ path: WITNESS })
  await page.route('**/hls.mjs', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: SPIED_HLS }),
  )
}

/** From here on everything counts. */
export async function beginWitness(page: Page): Promise<void> {
  await page.evaluate('witness.begin()')
}

export async function askWitness(page: Page): Promise<Witnessed> {
  return witnessed.parse(await page.evaluate('witness.report()'))
}

/** Who waits longer for fragments of a second than they last has nothing to play in the end. */
const STARVED_MS = 1_000

/**
 * Whether a machine with other things to do kept a page waiting for so long that its player may have gone to the live edge, or
 * started afresh, whatever is listed: then what it left out or lost says nothing about us.
 */
export function isStarved({ starvedMs }: Witnessed): boolean {
  const isStarved = starvedMs > STARVED_MS
  if (isStarved) {
    console.warn(
      `not judged: what the player left out, as its page was kept waiting for ${Math.round(starvedMs)} ms`,
    )
  }
  return isStarved
}
