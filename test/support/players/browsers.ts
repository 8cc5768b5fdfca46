import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { z } from 'zod'
import { ARGUMENTS } from '../browser.ts'
import type { Seen, Show } from './playing.ts'

/** How each is put on a page, without a window. */
const ARGUMENTS_OF = {
  chromium: (profile: string) => [...ARGUMENTS, '--headless', `--user-data-dir=${profile}`],
  'firefox-esr': (profile: string) => ['--headless', '--no-remote', '--profile', profile],
} as const

/** Firefox's settings: without what it does beside showing a page, and no oftener painted than a camera sends pictures. */
const FIREFOX = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.cache.disk.enable': false,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'browser.topsites.contile.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.policy.firstRunURL': '',
  'dom.ipc.processPrelaunch.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'fission.autostart': false,
  'layout.frame_rate': 10,
  'media.autoplay.default': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'startup.homepage_welcome_url': '',
  'startup.homepage_welcome_url.additional': '',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': 'data:,',
  'toolkit.telemetry.unified': false,
} as const

const FIREFOX_SETTINGS = Object.entries(FIREFOX)
  .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
  .join('')

export type BrowserName = keyof typeof ARGUMENTS_OF
export const BROWSERS: readonly BrowserName[] = ['chromium', 'firefox-esr']

/** Those of in-page/players.js; `itself` is the browser's own. */
export type PagePlayer = 'hls.js' | 'Shaka' | 'video.js' | 'itself'

const require = createRequire(import.meta.url)

/** The page's scripts, in the order in which it wants them. */
const SCRIPTS = {
  '/hls.js': require.resolve('hls.js/dist/hls.js'),
  '/shaka.js': require.resolve('shaka-player/dist/shaka-player.compiled.js'),
  '/video.js': require.resolve('video.js/dist/video.js'),
  '/players.js': fileURLToPath(new URL('../in-page/players.js', import.meta.url)),
}

/** One video of the page. */
export interface PageRow extends Show {
  readonly name: string
  readonly player: PagePlayer
}

const reportSchema = z.array(
  z.strictObject({
    name: z.string(),
    dateMs: z.number().nullable(),
    ended: z.boolean(),
    errors: z.array(z.string()),
  }),
)

/** A browser on a page that plays many things at once. */
export interface PlayerPage extends AsyncDisposable {
  /** @param name of a row */
  seen(name: string): Seen
}

/** Opens a browser on a page that plays all rows, and tells this process how far each has come. */
export async function openPlayers(
  browser: BrowserName,
  rows: readonly PageRow[],
): Promise<PlayerPage> {
  const seen = new Map<string, Seen>()
  const server = Fastify()
  server.get('/', (_, reply) => reply.type('text/html').send(pageOf(rows)))
  for (const [path, file] of Object.entries(SCRIPTS)) {
    const script = await readFile(file)
    server.get(path, (_, reply) => reply.type('text/javascript').send(script))
  }
  server.post('/seen', (request, reply) => {
    for (const { name, dateMs, ...rest } of reportSchema.parse(request.body)) {
      seen.set(name, { dateMs: dateMs ?? undefined, ...rest })
    }
    return reply.code(204).send()
  })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const profile = await mkdtemp(join(tmpdir(), 'players-'))
  await writeFile(join(profile, 'user.js'), FIREFOX_SETTINGS)
  const args = [...ARGUMENTS_OF[browser](profile), url]
  // A group of its own, as a browser is many processes.
  const child = spawn(browser, args, { stdio: 'ignore', detached: true })
  const gone = once(child, 'exit')
  return {
    seen: (name) => seen.get(name) ?? NOTHING_YET,
    async [Symbol.asyncDispose]() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await gone
      await server.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

const NOTHING_YET: Seen = { dateMs: undefined, ended: false, errors: [] }

function pageOf(rows: readonly PageRow[]): string {
  const scripts = Object.keys(SCRIPTS).map((path) => `<script src="${path}"></script>`)
  const data = JSON.stringify(rows).replaceAll('<', '\\u003c')
  return `<!doctype html><body><script id="rows" type="application/json">${data}</script>${scripts.join('')}`
}
