/** Writes what `formats/nal` reads, bit by bit as text. */

/** ue(v): as many zeros as the number has bits after its first, then the number. */
export function unsigned(value: number): string {
  const bits = (value + 1).toString(2)
  return bits.padStart(2 * bits.length - 1, '0')
}

/** se(v). */
export const signed = (value: number): string => unsigned(value > 0 ? 2 * value - 1 : -2 * value)

/** u(n). */
export const fixed = (count: number, value: number): string =>
  value.toString(2).padStart(count, '0')

/** The bits as bytes, with 03 wherever a start code could be seen. */
export function escaped(bits: string): Buffer {
  const padded = `${bits}1`.padEnd(Math.ceil((bits.length + 1) / 8) * 8, '0')
  const bytes: number[] = []
  for (const byte of Buffer.from(
    (padded.match(/.{8}/g) ?? []).map((text) => Number.parseInt(text, 2)),
  )) {
    if (bytes.at(-1) === 0 && bytes.at(-2) === 0 && byte <= 3) bytes.push(3)
    bytes.push(byte)
  }
  return Buffer.from(bytes)
}
