import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** Gives each test of a file a state directory of its own; call the result within a test for its path. */
export function stateDir(): () => string {
  let dir = ''
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kvs-e2e-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  return () => dir
}
