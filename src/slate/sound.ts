import type { InitFacts } from '../formats/mp4/init.ts'
import { readInit } from '../formats/mp4/init.ts'
import { AAC_FRAME_TICKS, type Track } from '../formats/mp4/track.ts'
import { writeInit } from '../formats/mp4/write-init.ts'
import { type FrameLength, frameLength, silentFrame } from './silence.ts'

/** Gives frames of sound without an end. */
export interface Sound {
  readonly init: InitFacts
  readonly initBytes: Buffer
  readonly frame: FrameLength
  /**
   * Returns the data of the next frame.
   * @param loopMs where in the loop of the pictures it sounds
   */
  data(loopMs: number): Buffer
}

/** A stream's own sound: its init segment, and about how long one of its frames is in ticks. */
export interface StreamSound {
  readonly init: InitFacts
  readonly initBytes: Buffer
  readonly frameTicks: number
}

/** Makes silence that the stream's own init segment decodes; undefined when none is known for its codec. */
export function silence({ init, initBytes, frameTicks }: StreamSound): Sound | undefined {
  const frame = silentFrame(init)
  if (frame === undefined) return undefined
  return { init, initBytes, frame: frameLength(init, frameTicks), data: () => frame }
}

/** Makes the sound of a file, in step with its pictures; silent behind its end. */
export function recordedSound({ description, samples }: Track): Sound {
  const initBytes = writeInit(description)
  const init = readInit(initBytes)
  const rest = silentFrame(init) ?? samples.at(-1)?.data ?? Buffer.alloc(1)
  const frameMs = (AAC_FRAME_TICKS / init.timescale) * 1_000
  return {
    init,
    initBytes,
    frame: { ticks: AAC_FRAME_TICKS, per: 1 },
    // A hair more: where frames and pictures begin together, rounding must not take the one before.
    data: (loopMs) => samples[Math.floor(loopMs / frameMs + 1e-6)]?.data ?? rest,
  }
}
