import type { Sample, Track } from '../formats/mp4/track.ts'

/** What a loop shows next: pictures that are cut from it. */
export interface Cut {
  /** The samples, from a keyframe on. Times are of the loop: only lengths and offsets mean something. */
  readonly samples: readonly Sample[]
  /** Where in the loop it begins, in ticks. */
  readonly fromTicks: number
}

/** Shows pictures without an end, cut where decoding can begin. */
export interface PictureLoop {
  readonly description: Track['description']
  /** Cuts pictures for so many ticks at most, unless even the first cannot be cut there. */
  next(ticks: number): Cut
}

/** Loops a picture that stands still: the beginning of the track, over and over. */
export function stillLoop({ description, samples }: Track): PictureLoop {
  return {
    description,
    next(ticks) {
      const count = samples.findIndex(({ dts, duration }) => dts + duration > ticks)
      return stillCut({ samples }, Math.max(1, count < 0 ? samples.length : count))
    },
  }
}

/** Cuts what a picture that stands still shows in so many frames. */
export function stillCut({ samples }: Pick<Track, 'samples'>, count: number): Cut {
  return { samples: samples.slice(0, count), fromTicks: 0 }
}

/** Loops the whole track, from its first keyframe to its last picture, and again. */
export function movieLoop({ description, samples }: Track): PictureLoop {
  const groups = groupsOf(samples)
  let at = 0
  return {
    description,
    next(ticks) {
      const fromTicks = groups[at]?.[0]?.dts ?? 0
      const taken: Sample[] = []
      let length = 0
      for (;;) {
        const group = groups[at] ?? []
        const groupTicks = lengthOf(group)
        if (taken.length > 0 && length + groupTicks > ticks) return { samples: taken, fromTicks }
        taken.push(...group)
        length += groupTicks
        at = (at + 1) % groups.length
      }
    },
  }
}

/** Yields all that the loop of a track may show in exactly so many pictures. */
export function* cutsOf({ samples }: Track, count: number): Generator<Cut> {
  const groups = groupsOf(samples)
  for (const [first, group] of groups.entries()) {
    const taken: Sample[] = []
    for (let at = first; taken.length < count; at = (at + 1) % groups.length) {
      taken.push(...(groups[at] ?? []))
    }
    if (taken.length === count) yield { samples: taken, fromTicks: group[0]?.dts ?? 0 }
  }
}

/** The longest stretch that cannot be cut, in ticks: a segment may be as long. */
export function longestGroup({ samples }: Track): number {
  return Math.max(...groupsOf(samples).map(lengthOf))
}

export function lengthOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { duration }) => sum + duration, 0)
}

function groupsOf(samples: readonly Sample[]): readonly (readonly Sample[])[] {
  const groups: Sample[][] = []
  for (const sample of samples) {
    const group = groups.at(-1)
    if (group === undefined || sample.key) groups.push([sample])
    else group.push(sample)
  }
  return groups
}
