import type { RecordedFragment, RecordedTrack, TimeRange } from '../../src/archive/recording.ts'
import { type InitFacts, readInit } from '../../src/formats/mp4/init.ts'
import { readMedia } from '../../src/formats/mp4/media.ts'
import { rewriteMedia } from '../../src/formats/mp4/rewrite.ts'
import { type ClipName, readClip } from './mp4.ts'

interface LoopTrack {
  readonly init: InitFacts
  readonly initBytes: Buffer
  readonly fragments: readonly Buffer[]
}

/**
 * A recording without an end or a gap: four fragments of one second, over and over, at times of a clock that
 * starts at 1970. Counts what is fetched, and fails or waits as a test tells it.
 */
export class LoopRecording {
  readonly fetched: bigint[] = []
  /** Called before each fetch; may throw, wait, or answer in its place. */
  before: (
    number: bigint,
    signal: AbortSignal,
  ) => Promise<readonly RecordedTrack[] | undefined> | undefined = () => undefined
  readonly #tracks: readonly LoopTrack[]

  constructor(clips: readonly ClipName[] = ['avc', 'aac']) {
    this.#tracks = clips.map((name) => {
      const { init, fragments } = readClip(name)
      return { init: readInit(init), initBytes: init, fragments }
    })
  }

  /** As {@link ClipsOptions.list} wants it. */
  list(range: TimeRange): readonly RecordedFragment[] {
    const [first, end] = [Math.ceil(range.startMs / 1000), Math.ceil(range.endMs / 1000)]
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => this.fragment(first + i))
  }

  /** The one that starts so many seconds after 1970. */
  fragment(second: number): RecordedFragment {
    const number = BigInt(second)
    return {
      number,
      startMs: second * 1000,
      durationMs: 1000,
      discontinuity: false,
      tracks: async (signal) => {
        const instead = await this.before(number, signal)
        signal.throwIfAborted()
        this.fetched.push(number)
        return instead ?? this.#tracks.map((track) => place(track, second))
      },
    }
  }
}

function place({ init, initBytes, fragments }: LoopTrack, second: number): RecordedTrack {
  const index = second % 4
  const fragment = fragments[index]
  if (fragment === undefined) throw new Error(`a clip of ${fragments.length} fragments`)
  const own = readMedia(fragment, init).baseTicks
  const baseTicks = own + (second - index) * init.timescale
  const bytes = rewriteMedia(fragment, { baseTicks, sequenceNumber: 1 })
  return { init, initBytes, bytes, baseTicks }
}
