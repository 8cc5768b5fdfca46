import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { z } from 'zod'

const WITNESS = fileURLToPath(new URL('in-page/witness.js', import.meta.url))

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
