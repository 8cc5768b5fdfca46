import { hashSigned } from '../camera/hash.ts'
import { samplesOf, trackOf } from '../media/fragment-media.ts'
import { totalDuration } from '../mp4/sample.ts'
import type { Entry, View } from '../session/playlist-window.ts'
import type { Session } from '../session/session.ts'
import { decimal } from './decimal.ts'
import { fragmentUri, initUri } from './uri.ts'

const MPEG_TS_VERSION = 3
const MP4_VERSION = 7

/** Writes a media playlist, tag by tag as observed. `track` counts from 1. KVS.md, section 3. */
export function writeMedia(session: Session, view: View, track: number): string {
  const { config } = session.camera
  const lengths = view.entries.map((entry) => extinfMs(session, entry, track))
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${session.request.container === 'MPEG_TS' ? MPEG_TS_VERSION : MP4_VERSION}`,
    ...playlistType(session),
    `#EXT-X-TARGETDURATION:${Math.max(1, ...lengths.map((ms) => Math.ceil(ms / 1000)))}`,
    `#EXT-X-MEDIA-SEQUENCE:${view.mediaSequence}`,
    ...(config.discontinuitySequence
      ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${view.discontinuitySequence}`]
      : []),
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...view.entries.flatMap((entry, i) => {
      return writeEntry(session, track, entry, view.entries[i - 1], lengths[i] ?? 0)
    }),
    ...(endsHere(session, view) ? ['#EXT-X-ENDLIST'] : []),
  ]
  return `${lines.join('\n')}\n`
}

function playlistType({ request, camera }: Session): readonly string[] {
  if (request.mode === 'ON_DEMAND') return ['#EXT-X-PLAYLIST-TYPE:VOD']
  const event = request.mode === 'LIVE_REPLAY' && camera.config.replayPlaylistType === 'EVENT'
  return event ? ['#EXT-X-PLAYLIST-TYPE:EVENT'] : []
}

function endsHere({ request, camera }: Session, { ended }: View): boolean {
  return ended && (request.mode === 'ON_DEMAND' || camera.config.replayEndList)
}

function writeEntry(
  session: Session,
  track: number,
  entry: Entry,
  previous: Entry | undefined,
  lengthMs: number,
): readonly string[] {
  const { request, camera } = session
  const needsMap = request.container === 'FRAGMENTED_MP4' && entry.cpd !== previous?.cpd
  const time = new Date(session.startMs(entry.fragment)).toISOString()
  return [
    ...(entry.discontinuity ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(needsMap ? [`#EXT-X-MAP:URI="${initUri(session, track, entry.cpd)}"`] : []),
    ...(request.timestamps ? [`#EXT-X-PROGRAM-DATE-TIME:${time}`] : []),
    `#EXTINF:${decimal(lengthMs / 1000, 3, camera.config.numberFormat)},`,
    fragmentUri(session, track, entry),
  ]
}

/** Returns what the track's own samples last, off by as much as the configuration wants. */
function extinfMs(session: Session, { fragment }: Entry, track: number): number {
  const { camera, tracks } = session
  const kind = tracks[track - 1]
  const media = kind === undefined ? undefined : trackOf(fragment, kind)
  const ms =
    media === undefined
      ? fragment.durationMs
      : (1000 * totalDuration(samplesOf(fragment, media))) / media.timescale
  const error = camera.config.extinfErrorMs * hashSigned(`${camera.name}extinf`, fragment.slot)
  return Math.round(ms + error)
}
