import { unusableAnswer } from '../errors.ts'

/**
 * Returns a URI of a playlist as the absolute URL that we follow. KVS's resources are siblings of the session URL
 * (KVS.md, section 0), so nothing that leaves its origin or directory is followed.
 * @throws GatewayError without the URI, because it holds the token
 */
export function childUrl(session: URL, uri: string): URL {
  const url = URL.parse(uri, session.href)
  if (url === null) throw unusableAnswer('a URI of the playlist cannot be resolved')
  const isSibling =
    url.origin === session.origin &&
    url.username === '' &&
    url.password === '' &&
    directory(url) === directory(session) &&
    // No `%2f`, `%2e` or `;`, which servers in between read in different ways.
    /^[\w.-]+$/.test(fileName(url))
  if (!isSibling) throw unusableAnswer('a URI of the playlist leaves the session’s directory')
  // To set it is to parse the URL again.
  if (url.hash !== '') url.hash = ''
  return url
}

export function fileName(url: URL): string {
  return url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
}

function directory(url: URL): string {
  return url.pathname.slice(0, url.pathname.lastIndexOf('/') + 1)
}

/**
 * Returns a query parameter as written. `URLSearchParams` would do for reading, but it rewrites what it does not touch
 * (`~` in tokens), and unknown parameters must reach upstream as they came.
 */
export function queryValue(url: URL, name: string): string | undefined {
  return parameters(url)
    .find((parameter) => parameter.startsWith(`${name}=`))
    ?.slice(name.length + 1)
}

/** Returns the same URL with one of its parameters replaced, all others untouched. */
export function withQueryValue(url: URL, name: string, value: string): URL {
  const replaced = new URL(url)
  replaced.search = parameters(url)
    .map((parameter) => (parameter.startsWith(`${name}=`) ? `${name}=${value}` : parameter))
    .join('&')
  return replaced
}

/** Returns the query without one of its parameters. */
export function queryWithout(url: URL, name: string): string {
  return parameters(url)
    .filter((parameter) => !parameter.startsWith(`${name}=`))
    .join('&')
}

function parameters(url: URL): readonly string[] {
  return url.search.slice(1).split('&')
}
