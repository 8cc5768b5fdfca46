import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import type { Operations } from '../../streams/operations.ts'
import { dashboardPage } from '../dashboard-page.ts'

export interface DashboardOptions {
  readonly registry: Pick<Operations, 'list'>
  readonly now: () => number
}

/** Allows only what comes from ourselves, nothing inline, and no frame around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const ASSETS = [
  { file: 'theme.css', from: 'theme.css', type: 'text/css; charset=utf-8' },
  { file: 'dashboard.css', from: 'admin/dashboard.css', type: 'text/css; charset=utf-8' },
  { file: 'dashboard.js', from: 'admin/dashboard.js', type: 'text/javascript; charset=utf-8' },
  { file: 'icon.svg', from: 'icon.svg', type: 'image/svg+xml' },
] as const

/** Serves `/`: the streams and how they are, as a page. */
export async function dashboardRoutes(
  app: FastifyInstance,
  { registry, now }: DashboardOptions,
): Promise<void> {
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers({
      'Content-Security-Policy': POLICY,
      'Referrer-Policy': 'no-referrer',
    })
    done()
  })
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(dashboardPage(registry.list(), now())),
  )
  for (const { file, from, type } of ASSETS) {
    const content = await readFile(new URL(`../../web/pages/${from}`, import.meta.url))
    app.get(`/${file}`, (_request, reply) => reply.type(type).send(content))
  }
}
