/**
 * Returns the EXT-X-TARGETDURATION for a stream whose longest fragment so far has `longestMs`, in whole seconds.
 *
 * It may never change (RFC 8216, 6.2.1; G5), while cameras do change their fragments' length a little. So it gets
 * headroom: a quarter, at least one second.
 */
export function targetDurationFor(longestMs: number, floorS: number): number {
  const longestS = longestMs / 1000
  const headroom = Math.max(1, Math.round(longestS * 0.25))
  return Math.max(1, Math.ceil(floorS), Math.round(longestS) + headroom)
}

/**
 * Says whether a segment is longer than was promised; durations are rounded before they are compared (RFC 8216,
 * 4.3.3.1).
 */
export function exceedsTarget(durationMs: number, targetDuration: number): boolean {
  return Math.round(durationMs / 1000) > targetDuration
}
