import type { IncomingHttpHeaders } from 'node:http'
import { weightOf } from './accept-encoding.ts'

/**
 * Says whether it is a browser that opens an address. Players, scripts and the pages' own requests take anything, and
 * read problem documents.
 */
export function wantsPage({ accept = '' }: IncomingHttpHeaders): boolean {
  return (weightOf(accept, 'text/html') ?? 0) > 0
}
