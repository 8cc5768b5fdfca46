import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyInstance } from 'fastify'

/** Allows only what comes from ourselves, nothing inline, and no frame around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const PAGES = new URL('../../web/pages/', import.meta.url)

/** What the dashboard takes of the viewers' pages. */
const SHARED = ['theme.css', 'icon.svg', 'dom.js', 'reason.js', 'times.js']

/** Serves `/`: a page that shows what the API tells, and orders what it takes. */
export async function dashboardRoutes(app: FastifyInstance): Promise<void> {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers({
      'Content-Security-Policy': POLICY,
      'Referrer-Policy': 'no-referrer',
    })
    done()
  })
  const page = await readFile(new URL('admin/dashboard.html', PAGES))
  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  // They lie as they do in the folder, because modules name each other relatively.
  const own = await readdir(new URL('admin/', PAGES))
  for (const name of [...SHARED, ...own.map((file) => `admin/${file}`)]) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const content = await readFile(new URL(name, PAGES))
    app.get(`/pages/${name}`, (_request, reply) => reply.type(type).send(content))
  }
}
