import { shrinkable } from './first-samples.ts'
import type { InitFacts } from './init.ts'
import { type MediaStructure, readMediaStructure } from './media-structure.ts'
import { malformed } from './mp4-error.ts'
import { readSamples, type SampleTable } from './samples.ts'

/** One track of one fragment, as its own boxes tell it. */
export interface MediaFacts {
  /** The decode time of the first sample (tfdt), in ticks of the init segment's timescale. */
  readonly baseTicks: number
  /** How long it is from the first sample's start to the last one's end, in ticks. */
  readonly durationTicks: number
  readonly samples: number
  /** How far its samples are apart; absent when their lengths cannot be changed: see `first-samples.ts`. */
  readonly steps?: Steps
  /** Whether decoding can begin with the first sample. */
  readonly startsWithSync: boolean
}

/**
 * How far samples are apart, in ticks. How long the last one lasts is a guess of whoever packed the fragment
 * before the next one was there.
 */
export interface Steps {
  readonly lastTicks: number
  /** The shortest of the others; both are 0 when there are none. */
  readonly shortestTicks: number
  readonly longestTicks: number
  /** How much shorter the fragment may become, so that it begins later. */
  readonly shrinkableTicks: number
}

const MIN_DURATION_S = 0.001
const MAX_DURATION_S = 120
/** How much the chunks of one fragment may leave open between them, in seconds; as between fragments. */
const MAX_STEP_S = 0.05

/**
 * Verifies that a media fragment is complete and belongs to its init segment, and sums its samples up.
 * @param structure of its boxes, and `table` of its samples, for who has read them
 * @throws Mp4Error
 */
export function readMedia(
  bytes: Buffer,
  init: InitFacts,
  structure: MediaStructure = readMediaStructure(bytes),
  table: SampleTable = readSamples(bytes, init, structure),
): MediaFacts {
  const { samples } = table
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) throw malformed('a fragment without samples')
  checkSteps(samples, init.timescale)
  const durationTicks = last.startTicks + last.durationTicks - first.startTicks
  checkDuration(durationTicks, init.timescale)
  return {
    baseTicks: first.startTicks,
    durationTicks,
    samples: samples.length,
    ...stepsOf(structure, samples, last.durationTicks),
    // Decoding of AAC can begin with each frame, whatever its flags say.
    startsWithSync: init.rendition === 'audio' || first.isSync,
  }
}

function stepsOf(
  structure: MediaStructure,
  samples: SampleTable['samples'],
  lastTicks: number,
): Pick<MediaFacts, 'steps'> {
  const shrinkableTicks = shrinkable(structure, samples)
  if (shrinkableTicks === undefined) return {}
  let [shortestTicks, longestTicks] = [samples.length > 1 ? Infinity : 0, 0]
  for (let i = 1; i < samples.length; i += 1) {
    const ticks = Math.max(0, (samples[i]?.startTicks ?? 0) - (samples[i - 1]?.startTicks ?? 0))
    shortestTicks = Math.min(shortestTicks, ticks)
    longestTicks = Math.max(longestTicks, ticks)
  }
  return { steps: { lastTicks, shortestTicks, longestTicks, shrinkableTicks } }
}

/** Checks the steps between chunks, because within a moof box samples follow on by themselves. */
function checkSteps(samples: SampleTable['samples'], timescale: number): void {
  let endTicks = samples[0]?.startTicks ?? 0
  for (const { startTicks, durationTicks } of samples) {
    const stepS = (startTicks - endTicks) / timescale
    if (Math.abs(stepS) > MAX_STEP_S) throw malformed(`a step of ${stepS} s between two moof boxes`)
    endTicks = startTicks + durationTicks
  }
}

function checkDuration(ticks: number, timescale: number): void {
  const seconds = ticks / timescale
  if (!(seconds >= MIN_DURATION_S && seconds <= MAX_DURATION_S)) {
    throw malformed(`a fragment of ${seconds} s, expected ${MIN_DURATION_S} to ${MAX_DURATION_S}`)
  }
}
