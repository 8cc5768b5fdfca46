/** What the configured use takes of the stream’s quota, what others leave of it, and what it costs. */
import { listedHlsPrice, usd } from '../../../metrics/prices.ts'
import type { Call, KvsObservations } from '../../../trace/trace.ts'
import { lastFault, NEEDED } from '../calls.ts'
import { faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, median, trimmed } from '../numbers.ts'
import type { SessionFacts } from '../session-facts.ts'

/** KVS.md, section 10: per second and stream, and per second and session. */
const LIMITS = { metadata: 10_000, media: 500, playlists: 5, fragments: 20 }
/** How many playlists the gateway asks for in a second, of each rendition. */
const POLLS = 1
const NEAR = 0.5

const [MONTH_S, HOUR_S] = [30 * 86_400, 3600]

export function quota(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  const renditions = facts?.renditions.length ?? 0
  const lengths = facts?.renditions[0]?.lists.at(-1)?.list.segments ?? []
  if (renditions === 0 || lengths.length === 0) return []
  const lengthS = median(lengths.map(({ durationS }) => durationS))
  const fragmentsPerS = renditions / lengthS
  const shares: readonly (readonly [string, number])[] = [
    ['metadata points', (renditions * POLLS * o.settings.fragmentResults) / LIMITS.metadata],
    ['media points', fragmentsPerS / LIMITS.media],
    ['playlists', (renditions * POLLS) / LIMITS.playlists],
    ['fragments', fragmentsPerS / LIMITS.fragments],
  ]
  const seen = `a gateway takes ${shares.map(([name, share]) => `${percent(share)} of ${name}`).join(', ')}`
  const most = Math.max(...shares.map(([, share]) => share))
  return [
    most > NEAR ? found('quota', 'quota_near', seen) : fine('quota', `${seen}, however many watch`),
  ]
}

function percent(share: number): string {
  return `${trimmed(share * 100, share < 0.1 ? 1 : 0)} %`
}

export function cost({ listing, use, settings }: KvsObservations): Finding[] {
  const fragments = listing?.fragments ?? []
  const spanMs = (fragments.at(-1)?.producerMs ?? 0) - (fragments[0]?.producerMs ?? 0)
  if (fragments.length < 3 || spanMs <= 0) return []
  // The last one's bytes belong to what follows.
  const bytes = fragments.slice(0, -1).reduce((sum, one) => sum + one.bytes, 0)
  const perS = bytes / (spanMs / 1000)
  const rate = `${trimmed((perS * 8) / 1e6, 2)} Mbit/s`
  const region = settings.region ?? ''
  const listed = listedHlsPrice(region)
  const usdPerGb = use.usdPerGb ?? listed.usdPerGb
  const perHour = dollars(usd(perS * HOUR_S, usdPerGb))
  const perMonth = dollars(usd(perS * MONTH_S, usdPerGb))
  const seen = use.always
    ? `${rate}: about ${perMonth} a month for reading it all the time`
    : `${rate}: about ${perHour} for each hour that anybody watches, ${perMonth} a month at most`
  const isAssumed = use.usdPerGb === undefined && listed.from !== region
  const whose = isAssumed ? ` by the price of ${listed.from}, as that here is not known` : ''
  return [fine('cost', `${seen}${whose}; recording it costs extra`)]
}

function dollars(price: number): string {
  return `$${price < 1 ? Number(price.toPrecision(2)) : price.toFixed(2)}`
}

/** Others who read the stream take what is ours of its quota. */
export function throttling(o: KvsObservations): Finding[] {
  const refused = o.calls.filter((call) => faultKind(call) === 'throttled')
  const [first] = refused
  if (first === undefined) return []
  const operations = [...new Set(refused.map(({ operation }) => operation))]
  const isOut = NEEDED.some((one) => lastFault(o, one)?.kind === 'throttled')
  const seen = `${counted(refused.length, 'call')} of ours throttled: ${operations.join(', ')}`
  // Of a stream’s own limit KVS says whose it is.
  if (isOfAccount(first)) return [found('quota', 'account_throttled', seen)]
  return [found('quota', isOut ? 'throttled_out' : 'throttled', seen)]
}

function isOfAccount({ operation, fault }: Call): boolean {
  const isControl = operation === 'DescribeStream' || operation === 'GetDataEndpoint'
  const { message = '' } = fault ?? {}
  return isControl && message !== '' && !/resource/i.test(message)
}
