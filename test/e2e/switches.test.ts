import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { startStage } from './support/stage.ts'

/**
 * What AWS does not document is a switch of the emulator, and viewers must not be able to tell its
 * positions apart. KVS.md, section 13.
 */
const SWITCHES: readonly [string, CameraConfigInput, kvs?: Readonly<Record<string, unknown>>][] = [
  ['everything as by default', {}],
  ['MEDIA-SEQUENCE from 1', { mediaSequenceStart: 1 }],
  ['MEDIA-SEQUENCE that counts polls', { mediaSequenceAdvance: 'polls' }],
  ['MAP without SequenceNumber', { mapSequenceNumber: false }],
  ['FragmentNumbers of the session', { fragmentUri: 'index' }],
  [
    'FragmentNumbers of the session, on the server clock',
    { fragmentUri: 'index' },
    { fragmentSelectorType: 'SERVER_TIMESTAMP' },
  ],
  ['DISCONTINUITY always', {}, { discontinuityMode: 'ALWAYS' }],
  ['DISCONTINUITY never', {}, { discontinuityMode: 'NEVER' }],
  ['DISCONTINUITY-SEQUENCE upstream', { discontinuitySequence: true }],
  ['the server clock', {}, { fragmentSelectorType: 'SERVER_TIMESTAMP' }],
  ['tfdt from the session’s start', { tfdtBase: 'session' }],
  ['tfdt from each fragment’s start', { tfdtBase: 'fragment' }],
  ['tfdt in 32 bits', { tfdtVersion: 0, tfdtBase: 'session' }],
  ['tfdt in 32 bits, from each fragment’s start', { tfdtVersion: 0, tfdtBase: 'fragment' }],
  ['styp', { styp: true }],
  ['sidx', { sidx: true }],
  ['styp, sidx and five moofs', { styp: true, sidx: true, moofs: 5 }],
  ['mfhd always 1', { mfhd: 'one' }],
  ['EXTINF 40 ms off', { extinfErrorMs: 40 }],
  ['plain numbers, bare headers', { numberFormat: 'plain', errorHeaders: 'none', cors: false }],
  ['every tenth call refused with 400', { faults: [throttle(400)] }],
  ['every tenth call refused with 429', { faults: [throttle(429)] }],
  ['slow ingestion that wavers', { ingestLatencyMs: 1_500, ingestJitterMs: 800 }],
  ['slow answers', { latencyMs: 300 }],
  ['fragments of irregular length', { clip: 'av-360p-irregular' }],
  ['HEVC', { clip: 'hevc' }],
  ['video only', { clip: 'video-only' }],
  ['audio only', { clip: 'audio-only' }],
]

function throttle(status: number): FaultInput {
  return { kind: 'status', status, type: 'ClientLimitExceededException', probability: 0.1 }
}

test.each(SWITCHES)('G2: %s: a roll-over leaves no trace', async (_what, camera, kvs = {}) => {
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p', ...camera } },
    defaults: { kvs },
  })
  await stage.pass(20_000)
  await stage.rollOver()
  await stage.pass(20_000)

  const { session } = await stage.world.admin.stream('lobby')
  expect(session?.rollovers).toBe(1)
  const verdict = await stage.verdict()
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  const seamless = { warnings: [], gaps: [], runs: 1 }
  for (const rendition of Object.values(verdict.decoded)) expect(rendition).toMatchObject(seamless)
  expect(verdict.segments).toBeGreaterThanOrEqual(12)
})
