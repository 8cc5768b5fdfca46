/** The offsets of the first byte and behind the last one. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Reads a Range field against a body of `size` bytes. RFC 9110, 14.1–14.2.
 *
 * `whole` stands for everything that a server may ignore: other units, broken syntax, and several
 * ranges at once, which no player asks of a segment and which would cost a multipart body.
 */
export function parseRange(field: string, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(field.replaceAll(/\s/g, '')) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole'
  if (first === '') return suffix(Number(last), size)
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  if (last !== '' && Number(last) < start) return 'whole'
  return start < size ? { start, end } : 'unsatisfiable'
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' {
  if (length === 0 || size === 0) return 'unsatisfiable'
  return { start: Math.max(0, size - length), end: size }
}
