import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'

/** The answer that the SDK hangs on an error. */
const refusedSchema = z.object({ $response: z.object({ headers: z.object({ date: z.string() }) }) })

/**
 * How far a date may be off: AWS bears five minutes, and an answer's date is from a little later than the signature.
 */
const MOST_MS = 4 * 60_000

/** The part of an SDK client that signing goes by. */
interface SigningClient {
  readonly config: { systemClockOffset: number }
  readonly middlewareStack: { use(plugin: SkewPlugin): void }
}

type Handler<Args, Output> = (args: Args) => Promise<Output>

export interface SkewPlugin {
  applyToStack(stack: {
    addRelativeTo(
      middleware: <Args, Output>(next: Handler<Args, Output>) => Handler<Args, Output>,
      options: { name: string; relation: 'before'; toMiddleware: string; override: boolean },
    ): void
  }): void
}

/**
 * Learns how far this machine's date is off AWS's. AWS refuses what was signed more than five minutes beside its own
 * date, and tells that in the answer. The SDK learns from it, but for each client by itself and for the next call only:
 * here all clients learn from one, and the call that found it out is sent again at once.
 */
export class ClockSkew {
  readonly #clock: Clock
  #offsetMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** AWS's date, in milliseconds since 1970, as far as it is known. */
  date(): number {
    return this.#clock.date() + this.#offsetMs
  }

  /** Has a client sign by AWS's date. */
  share(client: SigningClient): void {
    const { config } = client
    client.middlewareStack.use(
      this.#plugin(() => {
        config.systemClockOffset = this.#offsetMs
      }),
    )
  }

  /** Serves clients that the SDK makes itself, which learn by themselves, but within the call. */
  get plugin(): SkewPlugin {
    return this.#plugin(() => {})
  }

  #plugin(prepare: () => void): SkewPlugin {
    return {
      applyToStack: (stack) =>
        stack.addRelativeTo(
          (next) => async (args) => {
            prepare()
            try {
              return await next(args)
            } catch (error) {
              if (!this.#learn(error)) throw error
              prepare()
              return next(args)
            }
          },
          // What is sent again has to be signed anew.
          {
            name: 'sharedClockSkew',
            relation: 'before',
            toMiddleware: 'httpSigningMiddleware',
            override: true,
          },
        ),
    }
  }

  /**
   * Learns from an error, and says whether it may have come of a wrong date, which is known now. The SDK's own verdict
   * is not asked, because it does not notice that a date which was wrong has been set right.
   */
  #learn(error: unknown): boolean {
    const awsMs = Date.parse(refusedSchema.safeParse(error).data?.$response.headers.date ?? '')
    // The SDK signs by the machine's date, whatever ours is.
    const offsetMs = awsMs - Date.now()
    if (!(Math.abs(offsetMs - this.#offsetMs) >= MOST_MS)) return false
    this.#offsetMs = offsetMs
    return true
  }
}
