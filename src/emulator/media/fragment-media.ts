import type { Fragment } from '../camera/fragment.ts'
import type { Sample } from '../mp4/sample.ts'
import type { ClipTrack, TrackKind } from './clip.ts'
import { pad, paddingBytes } from './padding.ts'

/** Returns the track of this kind that a fragment carries, as it was encoded then. */
export function trackOf(fragment: Fragment, kind: TrackKind): ClipTrack | undefined {
  if (!fragment.tracks.includes(kind)) return undefined
  const { clip, variant } = fragment.content
  return kind === 'audio' ? clip.audio : clip.video[variant % clip.video.length]
}

/** Returns the tracks in the order of their track numbers. */
export function tracksOf(fragment: Fragment): readonly ClipTrack[] {
  return fragment.tracks
    .map((kind) => trackOf(fragment, kind))
    .filter((track) => track !== undefined)
}

/** Returns number and types of its tracks, for example `avc1,mp4a`: what must not change in a session. */
export function mediaTypes(fragment: Fragment): string {
  return tracksOf(fragment)
    .map(({ entry }) => entry.type)
    .join()
}

export function samplesOf(fragment: Fragment, track: ClipTrack): readonly Sample[] {
  const samples = plainSamples(fragment, track)
  if (track.kind !== 'video') return samples
  return pad(samples, track.entry.type, padding(fragment))
}

/** Returns the coded bytes of all its tracks, boxes not counted. */
export function mediaBytes(fragment: Fragment): number {
  return plainBytes(fragment) + padding(fragment)
}

/** Returns how much is padded; only pictures can be. */
function padding(fragment: Fragment): number {
  const { minBytes } = fragment.content
  if (minBytes === 0 || !fragment.tracks.includes('video')) return 0
  return paddingBytes(plainBytes(fragment), minBytes)
}

function plainBytes(fragment: Fragment): number {
  return tracksOf(fragment).reduce((sum, track) => sum + coded(plainSamples(fragment, track)), 0)
}

function plainSamples({ content }: Fragment, track: ClipTrack): readonly Sample[] {
  return track.fragments[content.index] ?? []
}

const known = new WeakMap<readonly Sample[], number>()

/** Adds up a clip's fragments, each once, because they come again and again. */
function coded(samples: readonly Sample[]): number {
  const bytes = known.get(samples) ?? samples.reduce((sum, { data }) => sum + data.length, 0)
  known.set(samples, bytes)
  return bytes
}
