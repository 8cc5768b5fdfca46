/** How much longer than those that are known fragments may get. */
const HEADROOM_MS = 250

/**
 * Returns the EXT-X-TARGETDURATION for a stream of which it is known how long fragments get, in whole seconds.
 *
 * It may never change (RFC 8216, 6.2.1; G5), and durations are rounded before they are compared with it. So it has a
 * little headroom, and yet is never above the longest rounded up, which is what KVS says of it (KVS.md, section 3.4):
 * players stay three of these behind the live edge.
 * @param longestMs the longest that is known
 */
export function targetDurationFor(longestMs: number, floorS: number): number {
  return Math.max(1, Math.ceil(floorS), Math.round((longestMs + HEADROOM_MS) / 1000))
}

/** Returns it for a stream of which too little is known, with headroom for longer ones: a quarter, at least a second. */
export function roomyTargetDurationFor(longestMs: number, floorS: number): number {
  const headroomMs = Math.max(1000, longestMs / 4)
  return Math.max(1, Math.ceil(floorS), Math.round((longestMs + headroomMs) / 1000))
}

/**
 * Says whether fragments are so much alike that others will be as long. One alone says nothing: it may be the rest of
 * one.
 */
export function areAlike(durationsMs: readonly number[]): boolean {
  return (
    durationsMs.length > 1 && Math.max(...durationsMs) - Math.min(...durationsMs) <= HEADROOM_MS
  )
}

/**
 * Says whether a segment is longer than was promised; durations are rounded before they are compared (RFC 8216,
 * 4.3.3.1).
 */
export function exceedsTarget(durationMs: number, targetDuration: number): boolean {
  return Math.round(durationMs / 1000) > targetDuration
}
