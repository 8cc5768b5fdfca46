import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

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
]

/** Debian's Chromium plays H.264 and AAC; the builds that Playwright brings do not. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true })
}

/** For what must happen by itself: as long as a slow and busy machine may take for it. */
export const SOON = { timeout: 240_000, interval: 200 }

export interface WatchedPage {
  readonly page: Page
  /**
   * What the page had to complain about: exceptions, and console errors such as violations of its
   * Content-Security-Policy. Failed requests are not complaints: tests make them happen.
   */
  readonly complaints: readonly string[]
}

export async function openPage(
  browser: Browser,
  url: string,
  viewport: { width: number; height: number } = { width: 1280, height: 720 },
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport })
  page.setDefaultTimeout(SOON.timeout)
  await prepare(page)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() !== 'error' || message.text().startsWith('Failed to load')) return
    complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}
