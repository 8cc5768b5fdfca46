import { createHmac } from 'node:crypto'
import { Backoff, type Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { EventType } from '../base/event-types.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { ChangeSignal } from '../base/signal.ts'
import type { Cell, Counter } from '../metrics/counter.ts'
import type { GatewayEvent } from './gateway-event.ts'

/** Who is called, and of what. */
export interface WebhookSettings {
  readonly url: string
  readonly secret: string
  /** The types that are sent; an empty list stands for all. */
  readonly types: readonly EventType[]
}

export interface WebhookPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface WebhookAnswer {
  readonly status: number
  /** How long the receiver wants to be left alone; undefined where it does not say. */
  readonly retryAfterMs: number | undefined
}

/** Sends a POST; follows no redirect. Rejects when no answer comes. */
export type Post = (post: WebhookPost, signal: AbortSignal) => Promise<WebhookAnswer>

export interface WebhookOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly post: Post
  readonly version: string
  readonly sent: Cell
  readonly attemptsFailed: Cell
  readonly dropped: Counter<'reason'>
  /** How many events wait, the one that is being sent included. */
  readonly waiting: Cell
}

/** Why an event is never sent. */
type DropReason =
  /** Too many wait, because the receiver takes none. */
  | 'overflow'
  /** The receiver says that it is malformed. */
  | 'refused'
  /** The gateway stops, and the receiver does not take it in time. */
  | 'shutdown'
  /** There is no webhook any more. */
  | 'unconfigured'

export const SIGNATURE = 'X-Kvs-Gateway-Signature'

/** How many events may wait. */
const MOST_WAITING = 1_000
/** How long the receiver may take to answer. */
const ATTEMPT_MS = 10_000
const WAITS = { firstMs: 1_000, maxMs: 60_000 }
/** How long a receiver may have us wait at most. */
const LONGEST_RETRY_AFTER_MS = 3_600_000
/** How often the receiver may call an event malformed before the next one gets its turn. */
const MOST_REFUSALS = 3
/** How long the gateway waits at its end for what is not sent yet. */
const FLUSH_MS = 2_000

/** What says that the event itself is wrong: content, size, kind of media, form. All else may be the receiver's state. */
const MALFORMED: ReadonlySet<number> = new Set([400, 413, 415, 422])

const never = new AbortController().signal

/**
 * Sends events to whoever is configured, each by a POST of its own, in the order in which they happened, again and again until
 * it is taken. So one may come twice, with the same id. What cannot be sent is dropped only for a reason that is counted.
 */
export class Webhook {
  readonly #options: WebhookOptions
  readonly #backoff: Backoff
  readonly #outage: Outage
  readonly #offered = new ChangeSignal()
  /** Says that there is a reason not to wait for the next attempt. */
  readonly #hurry = new ChangeSignal()
  readonly #life = new AbortController()
  readonly #ended: Promise<void>
  #settings: WebhookSettings | undefined
  #queue: GatewayEvent[] = []
  #sending: GatewayEvent | undefined
  #refusals = 0
  #isClosing = false
  /** The reasons for which something was dropped since something was taken. */
  readonly #toldDrops = new Set<DropReason>()

  constructor(options: WebhookOptions, settings: WebhookSettings | undefined) {
    this.#options = options
    this.#settings = settings
    this.#backoff = new Backoff(WAITS, options.random)
    this.#outage = new Outage(options.log, {
      level: 'warn',
      fails: 'events cannot be sent',
      works: 'events are sent again',
    })
    this.#ended = this.#run()
  }

  /** Calls somebody else from now on, also with what waits; undefined calls nobody. */
  configure(settings: WebhookSettings | undefined): void {
    this.#settings = settings
    if (settings === undefined) this.#dropAll('unconfigured')
    this.#hurry.notify()
  }

  /** Takes an event to be sent, if it is of a type that is. Returns at once. */
  offer(event: GatewayEvent): void {
    const { types } = this.#settings ?? {}
    if (types === undefined || this.#isClosing) return
    if (types.length > 0 && !types.includes(event.type)) return
    // What is newer tells more of how things are.
    if (this.#queue.length >= MOST_WAITING && this.#queue.shift() !== undefined) {
      this.#dropped('overflow')
    }
    this.#queue.push(event)
    this.#count()
    this.#offered.notify()
  }

  /** Takes no more events. Resolves when what waits is sent, or it is too late for that. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#backoff.reset()
    this.#offered.notify()
    this.#hurry.notify()
    const sent = withDeadline(this.#options.clock, 'sending', FLUSH_MS, never, () => this.#ended)
    await sent.catch(() => {})
    this.#life.abort(new Error('the gateway is stopping'))
    await this.#ended
    this.#dropAll('shutdown')
  }

  async #run(): Promise<void> {
    const { signal } = this.#life
    while (!signal.aborted) {
      this.#sending ??= this.#queue.shift()
      const [event, settings] = [this.#sending, this.#settings]
      if (event !== undefined && settings !== undefined) await this.#send(event, settings, signal)
      else if (this.#isClosing) return
      else await this.#offered.wait(signal).catch(() => {})
    }
  }

  /** Tries once, and waits if that was in vain. */
  async #send(event: GatewayEvent, settings: WebhookSettings, signal: AbortSignal): Promise<void> {
    const { sent, attemptsFailed } = this.#options
    const answer = await this.#attempt(event, settings, signal)
    // It was dropped meanwhile.
    if (this.#sending !== event) return
    if (answer === 'taken') {
      sent.value += 1
      this.#backoff.reset()
      this.#toldDrops.clear()
      this.#done()
      return
    }
    attemptsFailed.value += 1
    if (answer !== undefined && MALFORMED.has(answer.status)) this.#refusals += 1
    if (this.#refusals >= MOST_REFUSALS) {
      this.#done()
      this.#dropped('refused')
      return
    }
    const askedMs = Math.min(answer?.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)
    await this.#pause(Math.max(this.#backoff.next(), askedMs), signal)
  }

  /** Returns what came of it; undefined when there was no answer. */
  async #attempt(
    event: GatewayEvent,
    settings: WebhookSettings,
    signal: AbortSignal,
  ): Promise<'taken' | WebhookAnswer | undefined> {
    const { clock, post } = this.#options
    let answer: WebhookAnswer | undefined
    const taken = await this.#outage
      .attempt(
        { waiting: this.#options.waiting.value },
        () =>
          withDeadline(clock, 'the receiver of events', ATTEMPT_MS, signal, async (limited) => {
            answer = await post(this.#postOf(event, settings), limited)
            if (answer.status < 200 || answer.status > 299) {
              throw new Error(`the receiver answered ${answer.status}`)
            }
            return 'taken' as const
          }),
        signal,
      )
      .catch(() => undefined)
    return taken ?? answer
  }

  #postOf(event: GatewayEvent, { url, secret }: WebhookSettings): WebhookPost {
    const body = Buffer.from(JSON.stringify(event))
    const signature = createHmac('sha256', secret).update(body).digest('hex')
    const headers = {
      'content-type': 'application/cloudevents+json',
      'user-agent': `kvs-hls-gateway/${this.#options.version}`,
      [SIGNATURE]: `sha256=${signature}`,
    }
    return { url, headers, body }
  }

  /** Waits for the next attempt, unless there is a reason to hurry. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    // Whichever ends it, it is over.
    await withDeadline(clock, 'the wait', ms, signal, (limited) => this.#hurry.wait(limited)).catch(
      () => {},
    )
  }

  #done(): void {
    this.#sending = undefined
    this.#refusals = 0
    this.#count()
  }

  #dropAll(reason: DropReason): void {
    const all = this.#queue.length + (this.#sending === undefined ? 0 : 1)
    this.#queue = []
    this.#done()
    if (all > 0) this.#dropped(reason, all)
  }

  #dropped(reason: DropReason, events = 1): void {
    const { log, dropped } = this.#options
    dropped.add({ reason }, events)
    // Once until something is taken again: how many they are the metric says.
    if (!this.#toldDrops.has(reason)) log.warn('events dropped', { reason, events })
    this.#toldDrops.add(reason)
  }

  #count(): void {
    this.#options.waiting.value = this.#queue.length + (this.#sending === undefined ? 0 : 1)
  }
}
