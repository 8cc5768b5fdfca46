/** Header fields of the public listener. */

export type Headers = Readonly<Record<string, string>>

export const PLAYLIST_TYPE = 'application/vnd.apple.mpegurl'
export const PROBLEM_TYPE = 'application/problem+json'

/** Lets caches keep what a URI of a segment or an init names, because its content stays true for ever (G13). */
export const FOREVER = 'public, max-age=31536000, immutable'

/**
 * Opens media to all origins, because players run on others than ours, and hls.js reads some headers that CORS hides
 * unless they are named.
 */
export const CORS: Headers = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Age, Cache-Status, Content-Length, Content-Range, Date, ETag, Retry-After, X-Request-Id',
}

/** Answers a preflight. No credentials are ever involved, so the wildcards mean what they say. */
export const PREFLIGHT: Headers = {
  ...CORS,
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': 'Authorization, Range, If-None-Match, If-Range, *',
  'Access-Control-Max-Age': '86400',
  'Cache-Control': 'public, max-age=86400',
}

/** Says whether the cache had the bytes. RFC 9211. */
export const CACHE_STATUS = {
  hit: 'kvs-hls-gateway; hit',
  miss: 'kvs-hls-gateway; fwd=uri-miss; stored',
  collapsed: 'kvs-hls-gateway; fwd=uri-miss; collapsed',
} as const
