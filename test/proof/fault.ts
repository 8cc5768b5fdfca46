/** What a monitor can find wrong, and which guarantee of the contract that breaks. */
export const FAULTS = {
  'playlist-syntax': 'G4',
  'playlist-regressed': 'G1',
  'media-sequence-decreased': 'G1',
  'discontinuity-sequence-decreased': 'G1',
  'msn-changed': 'G1',
  'uri-reused': 'G1',
  'bytes-changed': 'G1',
  'timeline-jump': 'G2',
  'shift-unequal': 'G2',
  'needless-discontinuity': 'G2',
  'map-without-change': 'G2',
  'discontinuity-arithmetic': 'G4',
  'hidden-gap': 'G4',
  'init-without-discontinuity': 'G4',
  'extinf-mismatch': 'G4',
  'pdt-mismatch': 'G4',
  'segment-malformed': 'G12',
  'codecs-mismatch': 'section 3',
  'target-duration-changed': 'G5',
  'target-duration-exceeded': 'G5',
  'window-too-short': 'RFC 8216 6.2.2',
  'not-fetchable': 'G6',
  'gone-too-soon': 'G6',
  'renditions-apart': 'G7',
  'http-status': 'G3',
  'http-failed': 'G3',
  'http-header': 'G13',
  'not-modified': 'G13',
  'gzip-differs': 'G13',
  'range-differs': 'G13',
} as const satisfies Record<string, string>

export type FaultKind = keyof typeof FAULTS

export interface Fault {
  readonly kind: FaultKind
  readonly guarantee: string
  /** The playlist that it concerns, for example `video`; undefined for the multivariant one. */
  readonly rendition: string | undefined
  readonly msn: number | undefined
  readonly detail: string
  /** The lines of the playlist around the fault, when there are any. */
  readonly excerpt: string | undefined
  /** Milliseconds since 1970, on the monitor's clock. */
  readonly atMs: number
}

export interface FaultPlace {
  readonly rendition?: string
  readonly msn?: number
  readonly excerpt?: string
}

/** What a rule reports; the log adds guarantee and time. */
export interface Finding extends FaultPlace {
  readonly kind: FaultKind
  readonly detail: string
}

/** Counts every fault and keeps the first few of each kind: a monitor may run for days. */
export class FaultLog {
  readonly #keepPerKind: number
  readonly #counts = new Map<FaultKind, number>()
  readonly #kept: Fault[] = []

  constructor(keepPerKind = 20) {
    this.#keepPerKind = keepPerKind
  }

  get faults(): readonly Fault[] {
    return this.#kept
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  counts(): Partial<Record<FaultKind, number>> {
    return Object.fromEntries(this.#counts)
  }

  add({ kind, detail, rendition, msn, excerpt }: Finding, atMs: number): void {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    if (count > this.#keepPerKind) return
    this.#kept.push({ kind, guarantee: FAULTS[kind], rendition, msn, detail, excerpt, atMs })
  }
}
