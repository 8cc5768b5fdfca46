import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { runTool } from '../proof/ffmpeg.ts'
import { GatewayAdmin } from '../proof/gateway-admin.ts'
import { startWorld } from '../support/world.ts'

/** Said at each reload of a live list with an EXT-X-MAP. */
const HARMLESS = /Found duplicated MOOV Atom/

const SECONDS = 15

test('G2: ffmpeg copies the live URL across a roll-over, and what it wrote has no seam', async () => {
  const world = await startWorld({
    clock: systemClock,
    cameras: { lobby: { tfdtBase: 'session' } },
  })
  onTestFinished(() => world.close())
  const folder = await mkdtemp(join(tmpdir(), 'copied-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'lobby.mp4')

  const input = ['-nostdin', '-v', 'repeat+warning', '-i', world.watchUrl()]
  const copied = runTool('ffmpeg', [...input, '-t', String(SECONDS), '-c', 'copy', file])
  const admin = new GatewayAdmin(world.gateway.adminUrl)
  await expect.poll(async () => (await admin.stream('lobby')).state).toBe('live')
  await admin.order('lobby', 'rollover')
  const { code, stderr } = await copied

  expect((await admin.stream('lobby')).session?.rollovers).toBe(1)
  expect({ code, said: stderr.filter((line) => !HARMLESS.test(line)) }).toEqual({
    code: 0,
    said: [],
  })
  const { warnings, streams } = await decodeWithoutWarning(await readFile(file))
  expect(warnings).toEqual([])
  expect(streams.map(({ type, gaps }) => ({ type, gaps }))).toEqual([
    { type: 'video', gaps: [] },
    { type: 'audio', gaps: [] },
  ])
  for (const { startS, endS } of streams) expect(endS - startS).toBeGreaterThan(SECONDS - 1)
})
