import { createHash } from 'node:crypto'
import type { GatewayError } from '../../base/errors.ts'
import type { Headers } from '../headers.ts'

/** What a person sees who may not see what he opened. */
export interface RefusalPage {
  readonly headers: Headers
  readonly body: string
}

const TITLES: Readonly<Record<string, string>> = {
  expired: 'This link has expired',
  invalid: 'This link is not valid',
  missing: 'You are not signed in',
}

const STYLE = `
:root { color-scheme: light dark }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1.5rem;
  background: light-dark(#f6f7f9, #07090c); color: light-dark(#171c22, #eef1f5);
  font: 1rem / 1.5 system-ui, "Segoe UI", Roboto, sans-serif }
h1 { margin: 0 0 .5rem; font-size: 1.5rem }
p { margin: 0; color: light-dark(#5a6572, #a3adb9) }
`

/** Everything is in it, because whoever is refused gets no file either. */
const HEADERS: Headers = {
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${hashOf(STYLE)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`,
  'Content-Type': 'text/html; charset=utf-8',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** Writes the page of a refusal; undefined for any other failure. */
export function refusalPage({ code, members }: GatewayError): RefusalPage | undefined {
  if (code === 'forbidden') {
    return page('You may not see this', 'Ask for a link to it from whoever gave you this one.')
  }
  if (code !== 'unauthenticated') return undefined
  const title = TITLES[String(members['reason'])] ?? 'You are not signed in'
  return page(title, 'Ask for a new link, or sign in again, where you came from.')
}

function page(title: string, words: string): RefusalPage {
  const body = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <style>${STYLE}</style>
  </head>
  <body><main><h1>${title}</h1><p>${words}</p></main></body>
</html>
`
  return { headers: HEADERS, body }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
