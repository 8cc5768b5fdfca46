/** Header fields of the public listener. */

export type Headers = Readonly<Record<string, string>>

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl'
export const PROBLEM_TYPE = 'application/problem+json'

/** Lets caches keep what a URI of a segment or an init names, because its content stays true for ever (G13). */
export const FOREVER = 'public, max-age=31536000, immutable'

/** Keeps an answer out of caches, because another request for the same URL may get another one. */
export const NO_STORE: Headers = { 'Cache-Control': 'no-store' }

/** Says whether the cache had the bytes. RFC 9211. */
export const CACHE_STATUS = {
  hit: 'kvs-hls-gateway; hit',
  miss: 'kvs-hls-gateway; fwd=uri-miss; stored',
  collapsed: 'kvs-hls-gateway; fwd=uri-miss; collapsed',
} as const

/** Says of a list that it should have grown `lateS` seconds ago and did not. RFC 9211, 2.4 and 2.8. */
export function staleStatus(lateS: number): string {
  return `${CACHE_STATUS.hit}; ttl=-${lateS}; detail=stale`
}
