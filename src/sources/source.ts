import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { StreamQuota } from '../upstream/kvs/quota.ts'
import type { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { SessionKeeper } from '../upstream/session-keeper.ts'
import { Heartbeat } from './heartbeat.ts'
import { Ingest } from './ingest.ts'
import type { FragmentSink } from './publication.ts'
import { isPermanent, StreamTrouble } from './trouble.ts'

/** What a source knows that whoever makes the keeper of its sessions needs. */
export interface KeeperUse {
  /** Called when an attempt failed that may be repeated. */
  readonly failed: (error: GatewayError) => void
  /** How long a fragment of the stream may be, in milliseconds; 0 until it is known. */
  readonly longestFragmentMs: () => number
}

/** What a source is made of. */
export interface SourceParts {
  /** Names the upstream, alike for all that give the same fragments; undefined where it need not be told apart. */
  readonly origin?: string | undefined
  readonly log: Log
  /** Its KVS quota; null where upstream is another origin. */
  readonly quota: StreamQuota | null
  readonly openKeeper: (use: KeeperUse) => SessionKeeper
}

/** A session in use for a moment, beside those who follow it. */
export interface SessionUse {
  readonly session: HlsSession
  lost(cause: SessionDeadError): void
  /** Ends the use; to be called in any case. */
  end(): void
}

/** One source of a stream that somebody else makes, with the session, the troubles and the quota of its own. */
export class Source {
  readonly keeper: SessionKeeper
  readonly trouble: StreamTrouble
  readonly quota: StreamQuota | null
  readonly origin: string | undefined
  readonly heartbeat = new Heartbeat()
  #following: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined
  #uses = 0

  /**
   * @param changed called when it met or left trouble
   * @param lost called when fragments were listed that cannot be shown
   * @param longestFragmentMs as in {@link KeeperUse}
   */
  constructor(
    parts: SourceParts,
    changed: () => void,
    lost: (fragments: number) => void,
    longestFragmentMs: () => number,
  ) {
    const upstream = parts.quota === null ? 'The origin' : 'Kinesis Video Streams'
    this.trouble = new StreamTrouble(parts.log, upstream, changed, lost)
    this.quota = parts.quota
    this.origin = parts.origin
    this.keeper = parts.openKeeper({
      failed: (error) => this.trouble.attempt(error),
      longestFragmentMs,
    })
  }

  get isFollowed(): boolean {
    return this.#following !== undefined
  }

  /** Whether no fragment will come before somebody does something, or none has come and KVS says that there is none. */
  get isHopeless(): boolean {
    const trouble = this.trouble.current
    if (trouble === undefined) return false
    return isPermanent(trouble.code) || (trouble.code === 'no_media' && !this.heartbeat.heard)
  }

  /**
   * Hands on what it delivers, until it is {@link unfollow}ed or `parent` aborts.
   * @param failed called when following ended by itself, which it never should
   */
  follow(
    sink: FragmentSink,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    parent: AbortSignal,
    failed: (error: unknown) => void,
  ): void {
    const stop = new AbortController()
    const signal = AbortSignal.any([parent, stop.signal])
    const ingest = new Ingest(this.keeper, { clock, random, sink, trouble: this.trouble })
    const ended = ingest
      .run(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) failed(error)
      })
      .finally(() => this.keeper.release())
    this.#following = { stop, ended }
  }

  /** Resolves when nothing of the following runs any more. */
  async unfollow(): Promise<void> {
    const following = this.#following
    following?.stop.abort(new Error('no longer followed'))
    await following?.ended
    if (this.#following === following) this.#following = undefined
  }

  /**
   * Opens, or lends, a session for something that the source has sent before. If nobody follows the source, it is
   * closed afterwards (G10).
   * @throws GatewayError when there is none
   */
  async use(signal: AbortSignal): Promise<SessionUse> {
    const session = await this.keeper.current(signal)
    this.#uses += 1
    return {
      session,
      lost: (cause) => this.keeper.lost(session, cause),
      end: () => {
        this.#uses -= 1
        if (this.#uses === 0 && !this.isFollowed) this.keeper.release()
      },
    }
  }
}
