/** How long before the end to renew at least: KVS recommends nothing; KVS.md, section 12, suggests it. */
const MIN_LEAD_MS = 60_000
const LEAD_WINDOWS = 3
const MAX_LEAD_SHARE = 0.2

export interface Lifetime {
  /** When it was opened, in milliseconds since 1970. */
  readonly openedAtMs: number
  readonly expiresAtMs: number
}

/**
 * Returns when to open the session that follows, in milliseconds since 1970: long enough before the end to try several
 * times and to prove an overlap, but not so long that a short session is renewed all the time.
 * @param windowMs how much time the upstream playlist covers
 * @param jitter 0 … 1, so that cameras that were opened together do not renew together; only earlier
 */
export function renewAt(
  { openedAtMs, expiresAtMs }: Lifetime,
  windowMs: number,
  jitter: number,
): number {
  const lead = Math.min(
    Math.max(MIN_LEAD_MS, LEAD_WINDOWS * windowMs),
    MAX_LEAD_SHARE * (expiresAtMs - openedAtMs),
  )
  return expiresAtMs - lead * (1 + jitter / 2)
}
