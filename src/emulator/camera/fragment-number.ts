/** What a FragmentNumber holds, as read from real samples; not documented by AWS. */
export interface FragmentNumberParts {
  /** Counts the fragments of a PutMedia connection; a new connection begins at the next thousand. */
  readonly counter: number
  readonly serverMs: number
  /** A random number of 28 bits. */
  readonly random: number
}

const BASE = 2n ** 156n
const COUNTER_SHIFT = 92n
const TIME_SHIFT = 28n
const TIME_BITS = COUNTER_SHIFT - TIME_SHIFT
const COUNTER_BITS = 156n - COUNTER_SHIFT

export function encodeFragmentNumber({ counter, serverMs, random }: FragmentNumberParts): bigint {
  return (
    BASE + (BigInt(counter) << COUNTER_SHIFT) + (BigInt(serverMs) << TIME_SHIFT) + BigInt(random)
  )
}

/** Reads the parts of a number that {@link encodeFragmentNumber} could have made; undefined for others. */
export function decodeFragmentNumber(number: bigint): FragmentNumberParts | undefined {
  const rest = number - BASE
  if (rest < 0n || rest >= BASE) return undefined
  return {
    counter: Number(BigInt.asUintN(Number(COUNTER_BITS), rest >> COUNTER_SHIFT)),
    serverMs: Number(BigInt.asUintN(Number(TIME_BITS), rest >> TIME_SHIFT)),
    random: Number(BigInt.asUintN(Number(TIME_SHIFT), rest)),
  }
}

const BLOCK = 1000

/** Returns where a new connection starts counting: 5 → 1001 → 2001, as seen in producers' acknowledgements. */
export function nextConnection(lastCounter: number): number {
  return (Math.floor(lastCounter / BLOCK) + 1) * BLOCK + 1
}
