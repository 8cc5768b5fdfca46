import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

/** Of several such switches the last counts; so here are Playwright's own that matter to these pages, too. */
const NO_FEATURES = [
  'HttpsUpgrades',
  'MediaRouter',
  'OptimizationHints',
  'PaintHolding',
  // Pages of Chromium's own, made with each window: they cost as much as a player that starts.
  'AimEnabled',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
]

export const ARGUMENTS = [
  '--no-sandbox',
  // What paints is the processor, without a process of its own: that is a fifth of what a player costs.
  '--disable-gpu',
  '--disable-software-rasterizer',
  '--in-process-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  `--disable-features=${NO_FEATURES.join(',')}`,
]

/** For what must happen by itself: as long as a slow and busy machine may take for it. */
export const SOON = { timeout: 240_000, interval: 200 }

/** As small as the pages can be used on: each point is painted by the processor. */
const SIZE = { width: 640, height: 360 }

let running: Promise<Browser> | undefined

/** Returns the browser that all tests of this process share. Playwright ends it with the process. */
function sharedBrowser(): Promise<Browser> {
  running ??= launchBrowser()
  return running
}

/** Debian's Chromium plays H.264 and AAC; the builds that Playwright brings do not. */
async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS, headless: true })
  browser.once('disconnected', () => {
    running = undefined
  })
  return browser
}

/** Ends the browser, for a program that goes on without. */
export async function closeBrowser(): Promise<void> {
  const browser = await running
  await browser?.close()
}

/** A page with nothing of any other: storage, cache and connections are its own, and end with it. */
export interface OwnPage extends AsyncDisposable {
  readonly page: Page
}

/** Opens an empty page. */
export async function newPage(options: BrowserContextOptions = {}): Promise<OwnPage> {
  const browser = await sharedBrowser()
  const context = await browser.newContext({ viewport: SIZE, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(SOON.timeout)
  return {
    page,
    async [Symbol.asyncDispose]() {
      // What a test answers in a server's place may be under way.
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await context.close()
    },
  }
}

export interface WatchedPage extends OwnPage {
  /**
   * What the page had to complain about: exceptions, and console errors such as violations of its
   * Content-Security-Policy. Failed requests are not complaints: tests make them happen.
   */
  readonly complaints: readonly string[]
}

/** Opens a page of ours, and listens to what it complains about. */
export async function openPage(
  url: string,
  prepare: (page: Page) => Promise<void> = async () => {},
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const own = await newPage(options)
  const { page } = own
  await prepare(page)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() !== 'error' || message.text().startsWith('Failed to load')) return
    complaints.push(message.text())
  })
  await page.goto(url)
  return { ...own, complaints }
}
