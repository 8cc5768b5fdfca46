/** Whether a session opens, and if not, what of the media is the reason. */
import type { KvsObservations, MatroskaTrack } from '../../../trace/trace.ts'
import { callsOf, lastFault, saying, wordsOf } from '../calls.ts'
import type { CauseCode } from '../causes.ts'
import type { FaultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { span } from '../numbers.ts'
import { newestFragment } from './stream.ts'
import { declaredTracks } from './tracks.ts'

const REFUSALS: Partial<Record<FaultKind, CauseCode>> = {
  'codec-private-data-missing': 'codec_private_data_missing',
  'codec-private-data-invalid': 'codec_private_data_invalid',
  'unsupported-media': 'unsupported_codec',
  'not-found': 'no_recent_fragment',
  other: 'session_refused',
}

export function session(o: KvsObservations): Finding[] {
  const refused = lastFault(o, 'GetHLSStreamingSessionURL')
  if (refused !== undefined) return refusal(o, refused.kind, saying(refused.call))
  const [opened] = callsOf(o, 'GetHLSStreamingSessionURL').slice(-1)
  if (opened === undefined) return []
  return [fine('session', `opens in ${span(opened.tookMs)}`)]
}

function refusal(o: KvsObservations, kind: FaultKind, seen: string): Finding[] {
  const code = REFUSALS[kind]
  const isSilent = newestFragment(o).some(({ level }) => level === 'fail')
  if (code === undefined || (kind === 'not-found' && isSilent)) return []
  if (code === 'codec_private_data_missing' && isAboutAudio(o, seen)) {
    return [found('session', 'audio_private_data_missing', seen)]
  }
  if (code === 'codec_private_data_invalid' && isAnnexB(o)) {
    return [found('session', 'annex_b', `start codes in the media; ${seen}`)]
  }
  const declared = declaredTracks(o)
  if (code === 'unsupported_codec' && declared !== '') {
    return [found('session', code, `${declared}; ${seen}`)]
  }
  return [found('session', code, seen, wordsOf(o))]
}

/** Says whether the track that lacks its private data is audio: as its own fragment says, else as track 2 is. */
function isAboutAudio({ matroska }: KvsObservations, seen: string): boolean {
  const number = Number(/track (\d)/.exec(seen)?.[1] ?? Number.NaN)
  const track = matroska?.[0]?.tracks.find((one) => one.number === number)
  return track === undefined ? number >= 2 : track.type === 'audio'
}

function isAnnexB({ matroska }: KvsObservations): boolean {
  return matroska?.[0]?.tracks.some(hasStartCodes) === true
}

function hasStartCodes({ startCode, blocks }: MatroskaTrack): boolean {
  return startCode || blocks.some((block) => block.startCode)
}
