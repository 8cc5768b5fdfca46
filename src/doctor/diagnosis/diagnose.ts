import type { HlsObservations, KvsObservations, Observations } from '../../trace/trace.ts'
import { clock, credentials } from './checks/credentials.ts'
import { fragments } from './checks/fragments.ts'
import { controlHost, dataHost } from './checks/hosts.ts'
import { kvsFacts } from './checks/kvs-facts.ts'
import { media } from './checks/media.ts'
import { origin, originMedia } from './checks/origin.ts'
import { permissions } from './checks/permissions.ts'
import { playlist } from './checks/playlist.ts'
import { session } from './checks/session.ts'
import { newestFragment, retention, stream } from './checks/stream.ts'
import { timestamps } from './checks/timestamps.ts'
import { tracks } from './checks/tracks.ts'
import { cost, quota, throttling } from './checks/use.ts'
import { CHECKS, type Finding, found } from './finding.ts'
import { type SessionFacts, sessionFacts } from './session-facts.ts'

type KvsCheck = (o: KvsObservations, facts: SessionFacts | undefined) => readonly Finding[]
type HlsCheck = (o: HlsObservations, facts: SessionFacts | undefined) => readonly Finding[]

const KVS_CHECKS: readonly KvsCheck[] = [
  credentials,
  clock,
  controlHost,
  stream,
  permissions,
  retention,
  dataHost,
  newestFragment,
  fragments,
  timestamps,
  session,
  tracks,
  playlist,
  media,
  kvsFacts,
  throttling,
  quota,
  cost,
]
const HLS_CHECKS: readonly HlsCheck[] = [origin, originMedia]

/**
 * Says what is wrong with a stream, and what is not, in the order in which one would look. It knows nothing but what was
 * observed, so a trace says the same as the look that it is of.
 */
export function diagnose(observations: Observations): readonly Finding[] {
  const facts = sessionFacts(observations.session)
  const findings =
    observations.kind === 'kvs'
      ? KVS_CHECKS.flatMap((check) => check(observations, facts))
      : HLS_CHECKS.flatMap((check) => check(observations, facts))
  const late = observations.isCut ? [found('time', 'unfinished', 'not all was looked at')] : []
  return distinct([...findings, ...late]).toSorted(
    (a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check),
  )
}

/** What two checks come upon is told once; where anything is wrong with what is checked, it is not fine. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const wrong = new Set(findings.flatMap(({ check, level }) => (level === 'ok' ? [] : check)))
  return findings.filter(
    ({ check, code, level }, i) =>
      (level !== 'ok' || !wrong.has(check)) &&
      (level === 'ok' ||
        findings.findIndex((other) => other.check === check && other.code === code) === i),
  )
}
