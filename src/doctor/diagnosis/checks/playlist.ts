/** Whether a session’s playlists can be read, and grow. */
import type { KvsObservations } from '../../../trace/trace.ts'
import { callsOf, saying } from '../calls.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, span } from '../numbers.ts'
import type { RenditionFacts, SessionFacts } from '../session-facts.ts'

export function playlist(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  const asked = [...callsOf(o, 'GetHLSMasterPlaylist'), ...callsOf(o, 'GetHLSMediaPlaylist')]
  if (asked.length === 0) return []
  const failed = asked.find((call) => isOfPlaylist(faultKind(call)))
  const silent = asked.find((call) => faultKind(call) === 'not-found')
  if (failed !== undefined) return [found('playlist', 'playlist_unreadable', saying(failed))]
  if (silent !== undefined) return [found('newest fragment', 'producer_silent', saying(silent))]
  const [main] = facts?.renditions ?? []
  const last = main?.lists.at(-1)
  if (main === undefined || last === undefined || last.list.segments.length === 0) {
    const isRead = asked.some(({ status, fault }) => status === 200 && fault === undefined)
    return isRead ? [found('playlist', 'playlist_unreadable', 'no fragment is listed')] : []
  }
  return [...growth(main), ...changes(facts)]
}

function isOfPlaylist(kind: FaultKind | undefined): boolean {
  return kind !== undefined && !['throttled', 'not-found', 'unreachable'].includes(kind)
}

function growth({ lists }: RenditionFacts): Finding[] {
  const [first] = lists
  const last = lists.at(-1)
  if (first === undefined || last === undefined) return []
  const { targetDuration, segments } = last.list
  const watchedMs = last.atMs - first.atMs
  const isNew = newestUri(last.list) !== newestUri(first.list)
  const seen = `${counted(segments.length, 'fragment')} listed, target duration ${targetDuration} s`
  if (!isNew && watchedMs > (targetDuration + 1) * 1000) {
    return [found('playlist', 'playlist_stuck', `${seen}; nothing new within ${span(watchedMs)}`)]
  }
  return [fine('playlist', isNew ? `${seen}; it grows` : seen)]
}

function newestUri({ segments }: RenditionFacts['lists'][number]['list']): string {
  return segments.at(-1)?.uri ?? ''
}

function changes(facts: SessionFacts | undefined): Finding[] {
  const most = Math.max(0, ...(facts?.renditions ?? []).map(mapChanges))
  if (most < 2) return []
  return [found('tracks', 'codec_changes', `${most} changes of codec private data in one list`)]
}

function mapChanges({ lists }: RenditionFacts): number {
  const uris = lists.at(-1)?.list.segments.map(({ map }) => map?.uri) ?? []
  return uris.slice(1).filter((uri, i) => uri !== uris[i]).length
}
