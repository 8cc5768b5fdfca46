import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { LiveStream } from './live-stream.ts'
import { NewNames } from './new-names.ts'
import { RecentNames } from './recent-names.ts'
import { isStreamName, notConfigured } from './stream-name.ts'

/** Says which names are streams by pattern, and how those are made. */
export interface DynamicEntry {
  /** Says whether a stream may have this name. */
  matches(name: string): boolean
  /** How many there may be at a time. */
  readonly max: number
  /** How long a name that upstream does not know is not asked for again. */
  readonly absentForMs: number
  /** How long a stream that nobody watches is kept if no other needs its room. */
  readonly keepIdleMs: number
  open(name: string): Promise<LiveStream>
}

/** A stream's entry under its name, from the first request until nothing of the stream is left. */
interface Member {
  entry: DynamicEntry
  readonly opened: Promise<LiveStream>
  stream: LiveStream | undefined
  usedMs: number
  /** How many are doing something with it now. */
  users: number
  /** Whether something came of a request, so that the name is not one that somebody made up. */
  isKnown: boolean
  leaving: Promise<void> | undefined
}

const SWEEP_MS = 30_000
/**
 * How long an idle stream keeps its room, because somebody may just have made it. Without a saved timeline its numbers
 * begin at five per second besides, which have to overtake those that its first list gave away at once (G1).
 */
const IDLE_AT_LEAST_MS = 10_000

/**
 * Makes streams on viewers' requests, by the operator's patterns: on the first request, once for all who ask. They are
 * dropped when nobody has watched them for a while, when another needs the room, or when upstream does not know them. A
 * name that matches nothing leaves no trace (G17).
 */
export class DynamicStreams {
  readonly #clock: Clock
  #entries: readonly DynamicEntry[] = []
  readonly #members = new Map<string, Member>()
  #absent: RecentNames
  readonly #newNames: NewNames
  readonly #closing = new AbortController()
  #sweeping = false
  /** New names wait for it, because the patterns are about to change. */
  #paused: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#absent = new RecentNames(clock)
    this.#newNames = new NewNames(clock)
  }

  /** Lets new names wait until it is called back, and none leave; resolves when none comes or goes. */
  async pause(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#paused = promise.then(() => {
      this.#paused = undefined
    })
    await Promise.allSettled(
      [...this.#members.values()].map((member) => member.leaving ?? member.opened),
    )
    return () => resolve(undefined)
  }

  /**
   * Makes streams by these patterns from now on. Those that are there stay if they match one of them.
   * @returns the others, which are no more of these: to be closed by whoever calls
   */
  replace(entries: readonly DynamicEntry[]): readonly LiveStream[] {
    this.#entries = entries
    this.#absent = new RecentNames(this.#clock)
    const gone: LiveStream[] = []
    for (const [name, member] of this.#members) {
      const entry = this.#entryOf(name)
      if (entry !== undefined) member.entry = entry
      else gone.push(...this.#without(name, member))
    }
    return gone
  }

  /** Gives a stream away to somebody else. */
  release(name: string): LiveStream | undefined {
    const member = this.#members.get(name)
    return member && this.#without(name, member)[0]
  }

  /** Takes a stream in that somebody else had, if it matches a pattern; says whether. */
  adopt(stream: LiveStream): boolean {
    const entry = this.#entryOf(stream.name)
    if (entry === undefined) return false
    const opened = Promise.resolve(stream)
    this.#members.set(stream.name, {
      ...newMember(entry, opened, this.#clock),
      stream,
      isKnown: true,
    })
    this.#newNames.played(stream.name)
    void this.#sweep()
    return true
  }

  /** Finds the stream if it is there now. */
  get(name: string): LiveStream | undefined {
    const member = this.#members.get(name)
    return member?.leaving === undefined ? member?.stream : undefined
  }

  /** Finds the stream as {@link get} does, for somebody who uses it, so that nobody else gets its room for now. */
  use(name: string): LiveStream | undefined {
    const stream = this.get(name)
    const member = this.#members.get(name)
    if (stream !== undefined && member !== undefined) member.usedMs = this.#clock.now()
    return stream
  }

  *all(): Iterable<LiveStream> {
    for (const { stream, leaving } of this.#members.values()) {
      if (stream !== undefined && leaving === undefined) yield stream
    }
  }

  /** Says whether a stream of this name is there or may be made; leaves no trace. */
  mayExist(name: string): boolean {
    return this.#members.has(name) || this.#entryOf(name) !== undefined
  }

  /** Says whether upstream did not know it just now. */
  isAbsent(name: string): boolean {
    return this.#absent.has(name)
  }

  /**
   * Finds the stream, or makes it.
   * @param by who asks, see {@link NewNames}
   * @throws GatewayError `stream_not_found` when no pattern matches, `upstream_stream_not_found` when it is known to be
   * absent, `overloaded` when there are too many
   */
  async make(name: string, by: string): Promise<LiveStream> {
    for (;;) {
      this.#closing.signal.throwIfAborted()
      await this.#pauseOf(name)
      const member = this.#members.get(name) ?? this.#enter(name, by)
      if (member.leaving === undefined) {
        const opened = await member.opened
        if (this.use(name) === opened) return opened
      }
      await member.leaving
    }
  }

  /**
   * Does something with a stream, made if need be. A stream of which nothing has come yet goes at once when nothing
   * comes of this either, because a name that was made up keeps no room.
   * @throws what {@link make} and `work` throw
   */
  async using<T>(name: string, work: (stream: LiveStream) => Promise<T>, by: string): Promise<T> {
    const stream = await this.make(name, by)
    const member = this.#members.get(name)
    if (member === undefined) return work(stream)
    member.users += 1
    try {
      const result = await work(stream)
      member.isKnown = true
      this.#newNames.played(name)
      return result
    } catch (error) {
      if (isUnknownUpstream(error)) this.#absentNow(name, by)
      throw error
    } finally {
      member.users -= 1
      const isIdle = stream.state === 'idle'
      if (isIdle && !member.isKnown && member.users === 0) this.#leave(name, member)
    }
  }

  /** Makes a stream as {@link make} does, of what an earlier process saved; undefined when there is no room. */
  async restore(name: string): Promise<LiveStream | undefined> {
    const entry = this.#entryOf(name)
    if (entry === undefined || this.#count(entry) >= entry.max) return undefined
    const member = this.#open(name, entry)
    member.isKnown = true
    this.#newNames.played(name)
    return member.opened
  }

  /** Drops a stream that upstream does not know, and does not ask for it again for a while. */
  #absentNow(name: string, by: string): void {
    const member = this.#members.get(name)
    if (member === undefined) return
    this.#newNames.unknown(by)
    this.#absent.add(name, member.entry.absentForMs)
    this.#leave(name, member)
  }

  /** Closes all streams and resolves when nothing runs any more. What was saved stays as it is. */
  async close(): Promise<void> {
    this.#closing.abort(new GatewayError('no_media', 'The gateway is stopping.'))
    await Promise.all(
      [...this.#members.values()].map(async ({ opened, leaving }) => {
        await (leaving ??
          opened.then(
            (stream) => stream.close(),
            () => {},
          ))
      }),
    )
  }

  #entryOf(name: string): DynamicEntry | undefined {
    return isStreamName(name) ? this.#entries.find((entry) => entry.matches(name)) : undefined
  }

  /** Enters a new stream once the others have made room. */
  #enter(name: string, by: string): Member {
    const entry = this.#entryOf(name)
    if (entry === undefined) throw notConfigured()
    if (this.isAbsent(name)) {
      throw new GatewayError(
        'upstream_stream_not_found',
        'Kinesis Video Streams knew no such stream a moment ago.',
      )
    }
    if (!this.#newNames.admits(name, by)) throw overloaded(1_000)
    this.#makeRoom(entry, name, by)
    return this.#open(name, entry)
  }

  #open(name: string, entry: DynamicEntry): Member {
    const member = newMember(entry, entry.open(name), this.#clock)
    this.#members.set(name, member)
    member.opened.then(
      (stream) => {
        member.stream = stream
      },
      () => this.#members.delete(name),
    )
    void this.#sweep()
    return member
  }

  /** Waits until a name may be made that is not there yet. */
  async #pauseOf(name: string): Promise<void> {
    while (this.#paused !== undefined && !this.#members.has(name)) await this.#paused
  }

  /** Returns the stream that was there, as a list; one that is leaving goes by itself. */
  #without(name: string, { stream, leaving }: Member): readonly LiveStream[] {
    if (stream === undefined || leaving !== undefined) return []
    this.#members.delete(name)
    return [stream]
  }

  #makeRoom(entry: DynamicEntry, name: string, by: string): void {
    if (this.#count(entry) < this.#newNames.shareOf(entry.max, name, by)) return
    const nowMs = this.#clock.now()
    const [longestIdle] = this.#idle()
      .filter(
        ([, member]) => member.entry === entry && nowMs - idleSince(member) >= IDLE_AT_LEAST_MS,
      )
      .sort(([, a], [, b]) => idleSince(a) - idleSince(b))
    if (longestIdle === undefined) {
      this.#newNames.refuse(name)
      throw overloaded(5_000)
    }
    this.#leave(...longestIdle)
  }

  #count(entry: DynamicEntry): number {
    return [...this.#members.values()].filter((member) => member.entry === entry && !member.leaving)
      .length
  }

  #idle(): (readonly [string, Member])[] {
    return [...this.#members].filter(
      ([, { stream, leaving }]) => leaving === undefined && stream?.state === 'idle',
    )
  }

  #leave(name: string, member: Member): void {
    // While patterns change nobody leaves, and what is another's by now is not ours to close.
    if (this.#paused !== undefined || this.#members.get(name) !== member) return
    member.leaving ??= member.opened
      .then(
        async (opened) => {
          await opened.close()
          opened.discard()
        },
        () => {},
      )
      .finally(() => {
        if (this.#members.get(name) === member) this.#members.delete(name)
      })
  }

  /** Runs only while there is something to look after, so that a gateway without streams by pattern has no timer. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    const { signal } = this.#closing
    while (this.#members.size > 0 && !signal.aborted) {
      await this.#clock.sleep(SWEEP_MS, signal).catch(() => {})
      const nowMs = this.#clock.now()
      for (const [name, member] of this.#idle()) {
        if (nowMs - idleSince(member) >= member.entry.keepIdleMs) this.#leave(name, member)
      }
    }
    this.#sweeping = false
  }
}

function newMember(entry: DynamicEntry, opened: Promise<LiveStream>, clock: Clock): Member {
  return {
    entry,
    opened,
    stream: undefined,
    usedMs: clock.now(),
    users: 0,
    isKnown: false,
    leaving: undefined,
  }
}

/** When it was last in use: a stream whose past is watched is in use, though it does not run. */
function idleSince({ stream, usedMs }: Member): number {
  return Math.max(usedMs, stream?.sinceMs ?? 0)
}

function isUnknownUpstream(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_stream_not_found'
}

function overloaded(retryAfterMs: number): GatewayError {
  const message = 'There are as many streams of this kind as may be at a time.'
  return new GatewayError('overloaded', message, { retryAfterMs })
}
