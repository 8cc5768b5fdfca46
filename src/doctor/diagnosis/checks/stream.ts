/** Whether the stream is there, keeps what it gets, and gets something. */
import type { KvsObservations } from '../../../trace/trace.ts'
import { lastFault, saying, wordsOf } from '../calls.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, median, span, trimmed } from '../numbers.ts'

/** KVS opens no LIVE session without a fragment of the last 30 s. */
const RECENT_MS = 30_000
/** How many fragments a day make the warm tier dear: one in 3 s, and more. */
const MANY_A_DAY = 28_800
const DAY_MS = 86_400_000

export function stream(o: KvsObservations): Finding[] {
  const { described, settings } = o
  if (described !== undefined && !isReadable(described.status)) {
    return [found('stream', 'stream_not_active', `it is ${described.status}`)]
  }
  const missing = ['DescribeStream', 'GetDataEndpoint']
    .map((operation) => lastFault(o, operation))
    .find((fault) => fault?.kind === 'not-found')
  if (missing !== undefined) return [notFound(o, saying(missing.call))]
  if (described === undefined) return []
  const { status, createdMs } = described
  const made =
    createdMs === undefined ? '' : `, made ${new Date(createdMs).toISOString().slice(0, 10)}`
  return [fine('stream', `${status} in ${settings.region ?? 'its region'}${made}`)]
}

function isReadable(status: string): boolean {
  return status === 'ACTIVE' || status === 'UPDATING'
}

function notFound(o: KvsObservations, seen: string): Finding {
  const { elsewhere = [], settings } = o
  if (elsewhere.length > 0) {
    return found(
      'stream',
      'wrong_region',
      `not in ${settings.region}, but in ${elsewhere.join(', ')}`,
    )
  }
  const where = settings.region === null ? '' : ` in ${settings.region}`
  return found('stream', 'stream_not_found', `no such stream${where} (${seen})`, wordsOf(o))
}

export function retention(o: KvsObservations): Finding[] {
  const { described, tier, use } = o
  const refused = lastFault(o, 'GetHLSStreamingSessionURL')?.kind === 'no-retention'
  if (described?.retentionHours === 0 || refused) {
    return [found('retention', 'no_retention', 'it keeps nothing: 0 h')]
  }
  if (described === undefined) return []
  const { retentionHours, ownKey } = described
  const dvrHours = use.dvrMs / 3_600_000
  if (dvrHours > retentionHours) {
    const seen = `${retentionHours} h, and the DVR window has ${trimmed(dvrHours, 1)} h`
    return [found('retention', 'short_retention', seen)]
  }
  const perDay = fragmentsPerDay(o)
  if (tier === 'WARM' && perDay !== undefined && perDay > MANY_A_DAY) {
    const seen = `warm tier with about ${Math.round(perDay / 1000)} thousand fragments a day`
    return [found('retention', 'warm_short_fragments', seen)]
  }
  const words = [
    `${retentionHours} h`,
    ...(tier === undefined ? [] : [`${tier.toLowerCase()} tier`]),
    ...(ownKey ? ['encrypted with a key of its own'] : []),
  ]
  return [fine('retention', words.join(', '))]
}

function fragmentsPerDay({ listing }: KvsObservations): number | undefined {
  const fragments = listing?.fragments ?? []
  const first = fragments[0]
  const last = fragments.at(-1)
  if (first === undefined || last === undefined || fragments.length < 3) return undefined
  return ((fragments.length - 1) / Math.max(1, last.serverMs - first.serverMs)) * DAY_MS
}

export function newestFragment(o: KvsObservations): Finding[] {
  const { listing, recorded, described } = o
  if (described?.retentionHours === 0) return []
  if (listing === undefined) {
    const silent = lastFault(o, 'GetHLSStreamingSessionURL')?.kind === 'not-found'
    if (!silent) return []
    return [found('newest fragment', 'producer_silent', 'none within the last 30 s')]
  }
  const { fragments, endMs } = listing
  const newest = fragments.at(-1)
  if (newest === undefined) {
    if (recorded === true) {
      return [found('newest fragment', 'producer_silent', 'none for 5 min, but earlier today')]
    }
    return [found('newest fragment', 'never_recorded', 'none within the last 24 h')]
  }
  // The age of its end: that long nothing has come. Where the two clocks differ, by the one that makes it younger.
  const nowMs = Math.min(endMs, Math.max(o.takenMs, newest.serverMs))
  const ageMs = nowMs - newest.serverMs - newest.lengthMs
  const lengthMs = median(fragments.map((one) => one.lengthMs))
  if (ageMs > Math.max(RECENT_MS, 3 * lengthMs)) {
    return [found('newest fragment', 'producer_silent', `nothing for ${span(ageMs)}`)]
  }
  const seen = `${span(Math.max(0, ageMs))} old; ${counted(fragments.length, 'fragment')} in 5 min`
  return [fine('newest fragment', seen)]
}
