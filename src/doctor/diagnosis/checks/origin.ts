/** Whether another HLS origin can be followed. */
import type { HlsObservations } from '../../../trace/trace.ts'
import { callsOf, saying } from '../calls.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, span } from '../numbers.ts'
import type { SessionFacts } from '../session-facts.ts'

const UNREACHABLE: readonly FaultKind[] = ['unreachable', 'proxy', 'tls', 'server']

export function origin(o: HlsObservations, facts: SessionFacts | undefined): Finding[] {
  const failed = o.calls.find((call) => faultKind(call) !== undefined)
  if (failed !== undefined) {
    const kind = faultKind(failed) ?? 'other'
    if (UNREACHABLE.includes(kind)) {
      return [found('origin', 'origin_unreachable', saying(failed))]
    }
    const isRefusal = failed.status !== undefined && failed.status >= 400
    return [
      found('origin', isRefusal ? 'origin_refuses' : 'origin_list_unreadable', saying(failed)),
    ]
  }
  const [first] = callsOf(o, 'playlist')
  if (first === undefined) return []
  const lists = facts?.renditions.flatMap((one) => one.lists) ?? []
  const [main] = lists
  if (main === undefined) {
    return [found('origin', 'origin_list_unreadable', 'no media playlist could be read')]
  }
  const { targetDuration, segments } = main.list
  const seen = `answers in ${span(first.tookMs)}; ${counted(segments.length, 'segment')} listed, target duration ${targetDuration} s`
  return [fine('origin', seen)]
}

export function originMedia(_: HlsObservations, facts: SessionFacts | undefined): Finding[] {
  const looks = facts?.renditions.map(({ look }) => look) ?? []
  const problem = looks
    .flatMap(({ inits, media }) => [...inits, ...media])
    .flatMap((one) => one.problem ?? [])[0]
  if (problem !== undefined) return [found('media', 'fragment_unreadable', problem)]
  const codecs = looks.flatMap(({ inits }) => inits.flatMap(({ codec }) => codec ?? []))
  const count = looks.reduce((sum, { media }) => sum + media.length, 0)
  if (count === 0) return []
  const seen = `${counted(count, 'segment')} read${codecs.length === 0 ? '' : `: ${codecs.join(' and ')}`}`
  return [fine('media', seen)]
}
