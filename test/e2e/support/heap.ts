import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What a collection frees may hold more, such as buffers and handles that close in a later turn. */
const COLLECTIONS = 4

/** Bytes that are really in use: JavaScript objects and the buffers that they hold. */
export async function usedBytes(): Promise<number> {
  for (let i = 0; i < COLLECTIONS; i += 1) {
    collect()
    await nextTurn()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
