import { crc32 } from 'node:zlib'

const SEALED = /^(.*) #([0-9a-f]{8})$/s

/** Ends a line of JSON with a checksum, because a disk that turns a digit would have us publish a wrong number (G1). */
export function seal(json: string): string {
  return `${json} #${checksum(json)}`
}

/**
 * Takes the seal off a line. One that is damaged stays in place, and makes the line no JSON. Earlier versions wrote none:
 * such lines are returned as they are.
 */
export function unseal(line: string): string {
  const [, json, told] = SEALED.exec(line) ?? []
  return json !== undefined && told === checksum(json) ? json : line
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}
