import type { WindowBounds } from '../../src/archive/recording-window.ts'
import { systemClock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { upstreamError } from '../../src/upstream/errors.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'
import { IdleSession } from '../upstream/support/idle-session.ts'

export const START_MS = Date.UTC(2026, 0, 1)

const media = literalInit('avc')
const sample = { durationTicks: 90_000, bytes: 10, isSync: true, compositionTicks: 0 }
const bytes = literalFragment(media, 0, [sample])
const map = { key: 'map', uri: new SecretUrl(new URL('https://kvs.test/hls/v1/init')) }

/** A fragment of a recording, and which set of tracks it has. */
export interface Stored {
  readonly number: bigint
  readonly dateMs: number
  readonly tracks: number
}

/** As KVS: lists the oldest of a window, and gives only what has the tracks of the first. */
export class PastSession extends IdleSession {
  readonly #stored: readonly Stored[]
  /** What KVS lists and does not give any more. */
  readonly forgotten = new Set<bigint>()

  constructor(stored: readonly Stored[]) {
    super(1, systemClock.now(), 3_600_000)
    this.#stored = stored
  }

  override list(): Promise<never> {
    return Promise.resolve(this.#stored.map(listed)) as Promise<never>
  }

  override init(): Promise<never> {
    return Promise.resolve(media.initBytes) as Promise<never>
  }

  override fragment(...args: readonly unknown[]): Promise<never> {
    const { number } = args[0] as ListedFragment
    if (this.forgotten.has(number)) return Promise.reject(upstreamError('segment_gone'))
    const found = this.#stored.find((one) => one.number === number)
    return found?.tracks === this.#stored[0]?.tracks
      ? (Promise.resolve(bytes) as Promise<never>)
      : Promise.reject(upstreamError('upstream_unsupported_media'))
  }
}

function listed({ number, dateMs }: Stored): ListedFragment {
  const uri = new SecretUrl(new URL(`https://kvs.test/hls/v1/fragment?FragmentNumber=${number}`))
  return { number, startMs: dateMs, durationS: 1, discontinuity: undefined, uri, map }
}

export function sessionOver(stored: readonly Stored[], bounds: WindowBounds): PastSession {
  const within = stored.filter(({ dateMs }) => dateMs >= bounds.startMs && dateMs <= bounds.endMs)
  if (within.length === 0) throw new GatewayError('no_media', 'nothing')
  return new PastSession(within.slice(0, bounds.fragmentResults))
}
