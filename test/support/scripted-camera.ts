import { GatewayError } from '../../src/base/errors.ts'
import type { HlsSession } from '../../src/upstream/hls-session.ts'
import type { StoredFragment } from '../../src/upstream/kvs/kvs-api.ts'
import type { StoredPast } from '../../src/upstream/kvs/stored-past.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { SessionDeadError } from '../../src/upstream/session-dead-error.ts'
import { fragmentNumber } from './camera.ts'
import { type LiteralInit, literalFragment, literalInit } from './literal-fragment.ts'
import type { ManualClock } from './manual-clock.ts'

/** How large each picture is. */
const PICTURE_BYTES = 10

export const FRAGMENT_MS = 2_000
/** From a fragment's end until it is listed. */
const LAG_MS = 150
/** KVS itself says so of a stream without a fragment for this long. */
const NO_MEDIA_MS = 30_000
const LISTED = 10
const URI = new SecretUrl(new URL('https://camera.example/fragment'))
const MAP = { key: 'init', uri: URI }

interface Made {
  readonly number: bigint
  /** By the camera's clock. */
  readonly startMs: number
  readonly endMs: number
  /** A LIVE list never names it: it came late. */
  readonly isLate: boolean
}

/**
 * A camera that sends a picture in fragments of two seconds while it is on, and whose sessions answer at once,
 * without a socket. What becomes of it, and of them, is a test's script.
 */
export class ScriptedCamera {
  readonly #clock: ManualClock
  readonly #init: LiteralInit = literalInit('avc')
  readonly #made: Made[] = []
  readonly #sessions = new Set<{ isOpen: boolean; hasEnded: boolean }>()
  #nextMs: number | undefined
  /** How many sessions were opened. */
  opened = 0
  /** Why no session can be opened; undefined: they can. */
  failure: GatewayError | undefined
  /** Upstream says that nothing more will come. */
  hasEnded = false
  /** Its next fragments come late. */
  isLate = false
  /** It keeps nothing that was sent before, in milliseconds since 1970. */
  keepsSinceMs = 0

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  on(): void {
    this.#nextMs = this.#clock.now()
  }

  off(): void {
    this.#grow()
    this.#nextMs = undefined
  }

  /** Fragments that end from now on come late, or no more so. */
  late(isLate: boolean): void {
    this.#grow()
    this.isLate = isLate
  }

  /** All its sessions are over, as after a 403. */
  revoke(): void {
    for (const session of this.#sessions) session.isOpen = false
  }

  /** How many of its sessions are open. */
  get openSessions(): number {
    return [...this.#sessions].filter(({ isOpen }) => isOpen).length
  }

  /** The numbers of all that it has sent. */
  get numbers(): readonly bigint[] {
    this.#grow()
    return this.#made.map(({ number }) => number)
  }

  /** Opens a LIVE session. */
  readonly open = async (signal: AbortSignal): Promise<HlsSession> => {
    signal.throwIfAborted()
    this.opened += 1
    if (this.failure !== undefined) throw this.failure
    const newest = this.#live().at(-1)
    if (newest === undefined || this.#clock.now() - newest.endMs > NO_MEDIA_MS) {
      throw new GatewayError('no_media', 'no fragment lately')
    }
    return this.#session(() => this.#live().slice(-LISTED))
  }

  /** What it keeps of its past. */
  get past(): StoredPast {
    return {
      clock: 'PRODUCER',
      list: async (range) =>
        this.#kept()
          .filter((made) => {
            const ms = range.clock === 'SERVER' ? made.endMs : made.startMs
            return ms >= range.startMs && ms <= range.endMs
          })
          .map(
            ({ number, startMs, endMs }): StoredFragment => ({
              number,
              producerMs: startMs,
              serverMs: endMs,
              lengthMs: endMs - startMs,
              bytes: 1,
            }),
          ),
      open: async ({ startMs, endMs }) =>
        this.#session(() =>
          this.#kept().filter((made) => made.startMs >= startMs && made.startMs <= endMs),
        ),
    }
  }

  #grow(): void {
    while (this.#nextMs !== undefined && this.#nextMs + FRAGMENT_MS <= this.#clock.now()) {
      const [startMs, endMs] = [this.#nextMs, this.#nextMs + FRAGMENT_MS]
      const number = fragmentNumber(this.#made.length, endMs)
      this.#made.push({ number, startMs, endMs, isLate: this.isLate })
      this.#nextMs = endMs
    }
  }

  #kept(): readonly Made[] {
    this.#grow()
    return this.#made.filter(({ startMs }) => startMs >= this.keepsSinceMs)
  }

  #live(): readonly Made[] {
    const nowMs = this.#clock.now()
    return this.#kept().filter(({ endMs, isLate }) => !isLate && endMs + LAG_MS <= nowMs)
  }

  #session(listed: () => readonly Made[]): HlsSession {
    const state = { isOpen: true, hasEnded: this.hasEnded }
    this.#sessions.add(state)
    const alive = (): void => {
      if (!state.isOpen) throw new SessionDeadError()
    }
    const close = (): void => {
      state.isOpen = false
    }
    return {
      id: this.opened,
      timeBase: this.opened,
      openedAtMs: this.#clock.now(),
      expiresAtMs: this.#clock.now() + 3_600_000,
      playlists: ['video'],
      codecChanges: 0,
      get hasEnded() {
        return state.hasEnded
      },
      list: async () => {
        alive()
        state.hasEnded = this.hasEnded
        return listed().map(announce)
      },
      init: async (_playlist, _map, _signal, verify) => {
        alive()
        verify?.(this.#init.initBytes)
        return this.#init.initBytes
      },
      fragment: async ({ number }, _signal, wish) => {
        alive()
        const bytes = this.#bytes(number)
        await wish?.announced?.(bytes.length)
        wish?.verify?.(bytes)
        return bytes
      },
      openFragment: async (_playlist, number) => {
        alive()
        const bytes = this.#bytes(number)
        return { size: bytes.length, body: once(bytes) }
      },
      retire: close,
      close,
    }
  }

  /** @throws GatewayError `segment_gone` when it keeps it no longer */
  #bytes(number: bigint): Buffer {
    const made = this.#kept().find((each) => each.number === number)
    if (made === undefined) throw new GatewayError('segment_gone', 'KVS keeps it no longer')
    const { timescale } = this.#init.init
    const durationTicks = timescale / 2
    const samples = Array.from({ length: 4 }, (_, i) => ({
      durationTicks,
      bytes: PICTURE_BYTES,
      isSync: i === 0,
      compositionTicks: 0,
    }))
    const baseTicks = Math.round((made.startMs * timescale) / 1_000)
    const bytes = literalFragment(this.#init, baseTicks, samples)
    // Its first picture is one NAL unit behind its length: what is none is told.
    bytes.writeUInt32BE(PICTURE_BYTES - 4, bytes.length - samples.length * PICTURE_BYTES)
    return bytes
  }
}

function announce({ number, startMs }: Made): ListedFragment {
  return {
    number,
    startMs,
    durationS: FRAGMENT_MS / 1_000,
    discontinuity: undefined,
    uri: URI,
    map: MAP,
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve()
  yield bytes
}
