import type { Clock } from '../../base/clock.ts'
import { HttpError } from '../problem.ts'
import type { MaybeLater } from '../rendered-lists.ts'
import type { Grant, Lack, Proof, Shown } from './proof.ts'

/** What is asked for, as far as it matters who asks. */
export interface Wanted {
  /** The stream's public name; undefined for what is no stream's own, such as pages. */
  readonly stream: string | undefined
  /** Whether a playlist has listed it, so that it must not fail within a segment when its proof ends. */
  readonly isMedia: boolean
}

/**
 * How long what was listed may still be fetched after the proof has ended. Players fetch ahead by a minute or so, and
 * no playlist names anything new to them by then.
 */
const MEDIA_GRACE_MS = 120_000

const DETAIL: Readonly<Record<Lack, string>> = {
  missing: 'A proof that you may watch is missing',
  invalid: 'What should prove that you may watch is not valid',
  expired: 'What proved that you may watch has expired',
}

/** How much each says: what has expired was right once. */
const WEIGHT: Readonly<Record<Lack, number>> = { missing: 0, invalid: 1, expired: 2 }

/**
 * Says who may see what: whoever satisfies one of the proofs, and gets what the first such proof grants. Without any proof
 * everybody may see everything.
 */
export class Guard {
  readonly #clock: Clock
  #proofs: readonly Proof[]

  constructor(clock: Clock, proofs: readonly Proof[]) {
    this.#clock = clock
    this.#proofs = proofs
  }

  /** Asks for these proofs from now on. */
  replace(proofs: readonly Proof[]): void {
    this.#proofs = proofs
  }

  /** Whether everybody may see everything. */
  get isOpen(): boolean {
    return this.#proofs.length === 0
  }

  /**
   * Finds what is granted to who asks.
   * @throws HttpError `unauthenticated`, with the lack as the member `reason`; `forbidden`
   */
  judge(shown: Shown, wanted: Wanted): MaybeLater<Grant> {
    return this.#judgeFrom(0, shown, wanted, 'missing')
  }

  /** @param lack what was lacking so far; undefined where only this stream may not be seen */
  #judgeFrom(
    index: number,
    shown: Shown,
    wanted: Wanted,
    lack: Lack | 'forbidden',
  ): MaybeLater<Grant> {
    const proof = this.#proofs[index]
    if (proof === undefined) throw lack === 'forbidden' ? forbidden() : this.#unauthenticated(lack)
    const go = (verdict: Grant | Lack): MaybeLater<Grant> => {
      const outcome = this.#outcome(verdict, wanted)
      if (typeof outcome !== 'string') return outcome
      return this.#judgeFrom(index + 1, shown, wanted, graver(lack, outcome))
    }
    const verdict = proof.judge(shown)
    return verdict instanceof Promise ? verdict.then(go) : go(verdict)
  }

  #outcome(verdict: Grant | Lack, { stream, isMedia }: Wanted): Grant | Lack | 'forbidden' {
    if (typeof verdict === 'string') return verdict
    const untilMs = verdict.untilMs + (isMedia ? MEDIA_GRACE_MS : 0)
    if (this.#clock.date() >= untilMs) return 'expired'
    return stream === undefined || verdict.may(stream) ? verdict : 'forbidden'
  }

  #unauthenticated(lack: Lack): HttpError {
    const error = lack === 'missing' ? '' : ', error="invalid_token"'
    const challenges = this.#proofs.flatMap(({ challenge }) => challenge ?? [])
    return new HttpError('unauthenticated', DETAIL[lack], {
      members: { reason: lack },
      headers: challenges.length === 0 ? {} : { 'WWW-Authenticate': challenges.join(', ') + error },
    })
  }
}

function graver(a: Lack | 'forbidden', b: Lack | 'forbidden'): Lack | 'forbidden' {
  if (a === 'forbidden' || b === 'forbidden') return 'forbidden'
  return WEIGHT[b] > WEIGHT[a] ? b : a
}

function forbidden(): HttpError {
  return new HttpError('forbidden', 'You may not see this stream')
}
