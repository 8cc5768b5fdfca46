import type { Finding } from './fault.ts'
import type { Answer } from './http-get.ts'

/** What a URL is, for G13's table of headers. */
export type ResourceClass = 'multivariant' | 'media-playlist' | 'init' | 'segment'

/**
 * What an answer's headers lack by G13. `targetDurationS` bounds the life of a live playlist; undefined for
 * one that has ended.
 */
export function checkHeaders(
  kind: ResourceClass,
  answer: Answer,
  rendition: string | undefined,
  targetDurationS: number | undefined,
): readonly Finding[] {
  const complaints = [
    ...common(answer),
    ...(kind === 'init' || kind === 'segment'
      ? immutable(answer, rendition === 'audio' ? 'audio/mp4' : 'video/mp4')
      : shortLived(answer, targetDurationS)),
  ]
  return complaints.map((complaint) => ({
    kind: 'http-header' as const,
    detail: `${kind}: ${complaint}`,
  }))
}

function common({ headers, length }: Answer): readonly string[] {
  return [
    ...expect(headers['content-length'] === String(length), 'Content-Length', headers),
    ...expect(/^"[^"]+"$/.test(headers['etag'] ?? ''), 'ETag', headers),
    ...expect(
      headers['access-control-allow-origin'] === '*',
      'Access-Control-Allow-Origin',
      headers,
    ),
    ...expect(headers['cache-status'] !== undefined, 'Cache-Status', headers),
    ...expect(headers['date'] !== undefined, 'Date', headers),
    ...expect(headers['set-cookie'] === undefined, 'Set-Cookie', headers),
  ]
}

function immutable({ headers }: Answer, type: string): readonly string[] {
  const directives = cacheDirectives(headers)
  const immutable = ['public', 'max-age=31536000', 'immutable'].every((one) => directives.has(one))
  return [
    ...expect(headers['content-type'] === type, 'Content-Type', headers),
    ...expect(immutable, 'Cache-Control', headers),
    ...expect(headers['accept-ranges'] === 'bytes', 'Accept-Ranges', headers),
  ]
}

function shortLived({ headers }: Answer, targetDurationS: number | undefined): readonly string[] {
  const maxAge = [...cacheDirectives(headers)]
    .map((directive) => /^max-age=(\d+)$/.exec(directive)?.[1])
    .find((value) => value !== undefined)
  const longest = targetDurationS === undefined ? Infinity : targetDurationS / 2
  // A charset may follow; RFC 8216, 4 allows UTF-8 alone anyway.
  const type = headers['content-type']?.split(';')[0] === 'application/vnd.apple.mpegurl'
  const fresh = maxAge !== undefined && Number(maxAge) <= longest
  return [
    ...expect(type, 'Content-Type', headers),
    ...expect(fresh, 'Cache-Control', headers),
    ...expect(/\baccept-encoding\b/i.test(headers['vary'] ?? ''), 'Vary', headers),
  ]
}

function expect(holds: boolean, name: string, headers: Answer['headers']): readonly string[] {
  return holds ? [] : [`${name}: ${headers[name.toLowerCase()] ?? 'missing'}`]
}

function cacheDirectives(headers: Answer['headers']): ReadonlySet<string> {
  const value = headers['cache-control'] ?? ''
  return new Set(value.split(',').map((directive) => directive.trim().toLowerCase()))
}
