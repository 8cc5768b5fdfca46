import type { Fragment } from '../camera/fragment.ts'
import { writeMediaFragment } from '../mp4/media-fragment.ts'
import type { Session } from '../session/session.ts'
import type { ClipTrack } from './clip.ts'
import { samplesOf } from './fragment-media.ts'
import { placeTicks } from './place-ticks.ts'

/** Writes `moof` + `mdat` of one track of a fragment, as this session sees it. */
export function writeMp4Media(session: Session, fragment: Fragment, track: ClipTrack): Buffer {
  const { config } = session.camera
  return writeMediaFragment(
    {
      trackId: track.trackId,
      timescale: track.timescale,
      sequenceNumber: config.mfhd === 'one' ? 1 : ((fragment.slot + 1) % 2 ** 31) * config.moofs,
      baseTicks: baseTicks(session, fragment, track),
      samples: samplesOf(fragment, track),
    },
    config,
  )
}

/**
 * Returns the decode time of the fragment's first sample. The track's place against the fragment's start (sound begins
 * with the first whole AAC frame) stays what the encoder made it, whatever the base.
 */
export function baseTicks(session: Session, fragment: Fragment, track: ClipTrack): number {
  const { soundOffsetMs } = session.camera.config
  const offset = (soundOffsetMs * track.timescale) / 1000
  const place = track.kind === 'video' ? 0 : placeTicks(fragment, track) + offset
  const startMs = session.startMs(fragment) - originMs(session, fragment)
  // A producer whose clock falls back behind the session’s first fragment has no time to count down to.
  return Math.max(0, Math.round((startMs * track.timescale) / 1000) + place)
}

function originMs(session: Session, fragment: Fragment): number {
  switch (session.camera.config.tfdtBase) {
    case 'epoch':
      return 0
    case 'session':
      return session.startMs(session.first)
    case 'fragment':
      return session.startMs(fragment)
  }
}
