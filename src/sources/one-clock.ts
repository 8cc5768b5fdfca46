import type { FetchedTrack } from '../ingest/fetch-fragment.ts'
import { rescale } from '../timeline/ticks.ts'

/** How far sound may lie outside its picture's fragment: further away it counts from another beginning. */
const MOST_APART_S = 10

/**
 * Puts sound onto the clock of the picture beside it, where its times count from elsewhere: they come from another packer,
 * or have wrapped alone, and players would wait for it for hours. It begins with the picture then, and goes on as it counts.
 */
export class OneClock {
  /** By how much sound counts ahead, and by how much it ended behind its picture, in ticks of so many a second. */
  #known = { leadTicks: 0, behindTicks: 0, timescale: 0 }

  /** Returns the tracks of the session's next fragment, on one clock. */
  align(tracks: readonly FetchedTrack[]): readonly FetchedTrack[] {
    const audio = tracks.find(({ rendition }) => rendition === 'audio')
    const video = tracks.find(({ rendition }) => rendition === 'video')
    if (audio === undefined) return tracks
    const leadTicks = this.#leadOf(audio, video)
    if (leadTicks === 0) return tracks
    const baseTicks = audio.facts.baseTicks - leadTicks
    const own = { ...audio, facts: { ...audio.facts, baseTicks } }
    return tracks.map((track) => (track === audio ? own : track))
  }

  #leadOf({ facts }: FetchedTrack, video: FetchedTrack | undefined): number {
    const { timescale } = facts.init
    const isSame = this.#known.timescale === timescale
    let { leadTicks, behindTicks } = isSame ? this.#known : { leadTicks: 0, behindTicks: 0 }
    if (video !== undefined) {
      const startTicks = ticksOf(video, video.facts.baseTicks, timescale)
      const endTicks = ticksOf(video, video.facts.baseTicks + video.facts.durationTicks, timescale)
      const mostTicks = MOST_APART_S * timescale + endTicks - startTicks
      if (Math.abs(facts.baseTicks - leadTicks - startTicks) > mostTicks) {
        leadTicks = facts.baseTicks - startTicks - behindTicks
      }
      behindTicks = facts.baseTicks - leadTicks + facts.durationTicks - endTicks
    }
    this.#known = { leadTicks, behindTicks, timescale }
    return leadTicks
  }
}

/** Converts ticks of a track. */
function ticksOf({ facts }: FetchedTrack, ticks: number, timescale: number): number {
  return rescale(ticks, facts.init.timescale, timescale)
}
