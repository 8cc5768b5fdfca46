import type { Log } from '../base/log.ts'
import type { ChangeSignal } from '../base/signal.ts'
import type { Backfill } from '../publish/backfill.ts'
import type { Publisher } from '../publish/publisher.ts'
import type { Sources } from '../sources/sources.ts'
import { FencedError } from '../store/fenced-error.ts'
import { type OwnersWord, readOwnersWord } from './owners-word.ts'
import { ALONE, type Ownership } from './ownership.ts'

export interface StreamWorkOptions {
  readonly log: Log
  readonly sources: Sources
  readonly publisher: Publisher
  readonly ownership: Ownership
  /** Makes what looks for late fragments; undefined where nothing is to be looked for. */
  readonly openBackfill: () => Backfill | undefined
  /** Notified when that is to be looked for anew. */
  readonly recordedChange: ChangeSignal
  /** Called with what the owner tells, once it has told it. */
  readonly told: (word: OwnersWord | undefined) => void
}

/**
 * Has the publisher show what the sources give while this node owns the stream, and what another node has published while
 * that one does. One runs for as long as its stream does.
 */
export class StreamWork {
  readonly #options: StreamWorkOptions
  #word: OwnersWord | undefined
  #isUpToDate = false

  constructor(options: StreamWorkOptions) {
    this.#options = options
    if (options.ownership.isMine) this.#beginToOwn()
  }

  /** What the owner told last, while another node is that. */
  get word(): OwnersWord | undefined {
    return this.#word
  }

  /** Whether what is shown is what the owner shows, or showed last. */
  get isUpToDate(): boolean {
    return this.#isUpToDate
  }

  /** Notes that something else may be shown, or another node own the stream. */
  look(): void {
    const { ownership, publisher } = this.#options
    if (ownership.isOthers && publisher.shown !== undefined) this.#isUpToDate = true
  }

  /** Publishes what the sources give, or what another node publishes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#follow(signal)
      await this.#own(signal)
    }
  }

  /** Shows what another node publishes, until the stream is this node's. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { ownership } = this.#options
    if (ownership.isMine) return
    const done = new AbortController()
    const follower = {
      saved: (saved: unknown) => this.#adopt((publisher) => publisher.adopt(saved)),
      amended: (lines: readonly string[]) => this.#adopt((publisher) => publisher.amend(lines)),
      told: (status: unknown) => this.#hear(status),
    }
    ownership.follow(follower, AbortSignal.any([signal, done.signal]))
    try {
      await ownership.until(true, signal)
    } finally {
      done.abort()
    }
    // What was told last may still be on its way.
    const { saved, status } = await ownership.latest()
    if (saved !== undefined) await this.#adopt((publisher) => publisher.adopt(saved))
    if (status !== undefined) this.#hear(status)
    if (ownership.isMine) this.#beginToOwn()
  }

  /** Takes in what the owner tells, or told last. */
  #hear(status: unknown): void {
    const { sources, told } = this.#options
    const word = readOwnersWord(status)
    this.#word = word
    // What an operator has ordered is to hold with the next owner.
    if (word !== undefined && word.forced !== sources.forced) sources.force(word.forced)
    told(word)
  }

  /** Takes in what another node has published. What cannot be read is told, and what is shown stays. */
  async #adopt(work: (publisher: Publisher) => Promise<unknown>): Promise<void> {
    const { log, publisher } = this.#options
    try {
      await work(publisher)
    } catch (error) {
      log.error('what another node has published is unusable', { error })
    }
  }

  #beginToOwn(): void {
    this.#word = undefined
    this.#isUpToDate = true
    this.#options.publisher.resume()
  }

  /** Runs sources and publisher for as long as the stream is this node's. */
  async #own(signal: AbortSignal): Promise<void> {
    const { log, ownership, publisher } = this.#options
    const over = new AbortController()
    const limited = AbortSignal.any([signal, over.signal])
    const losing = ownership.until(false, limited).then(
      () => over.abort(new Error('another node is to own the stream')),
      () => {},
    )
    try {
      if (ownership !== ALONE) await publisher.save()
      await this.#runSources(limited)
    } catch (error) {
      if (signal.aborted || !(over.signal.aborted || error instanceof FencedError)) throw error
      log.info('stream is left to another node')
    } finally {
      over.abort()
      await losing
      await ownership.release()
    }
  }

  async #runSources(signal: AbortSignal): Promise<void> {
    const { log, sources, publisher } = this.#options
    const over = new AbortController()
    const limited = AbortSignal.any([signal, over.signal])
    const filling = this.#fillBack(limited).catch((error: unknown) => {
      if (!limited.aborted) log.error('looking for late fragments failed', { error })
    })
    try {
      await sources.run(signal, publisher)
    } finally {
      over.abort()
      await filling
    }
  }

  /** Looks for late fragments, wherever they may be found at the time. */
  async #fillBack(signal: AbortSignal): Promise<never> {
    const { openBackfill, recordedChange } = this.#options
    for (;;) {
      const backfill = openBackfill()
      if (backfill === undefined) await recordedChange.wait(signal)
      else await recordedChange.until(signal, (limited) => backfill.run(limited))
    }
  }
}
