import { join } from 'node:path'
import { setTimeout as realSleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startEmulator } from '../../src/emulator/emulator.ts'
import type { Child } from '../proof/child-process.ts'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { freePort } from '../proof/free-port.ts'
import { startProgram, writeConfig } from '../proof/program.ts'
import { between, seededRandom } from '../proof/seeded-random.ts'
import { cameraOf } from '../support/world.ts'
import { type ShownSegment, shown } from './support/shown.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

test('G1, G6: a gateway that is killed at any moment goes on where it was', async () => {
  const cameras = { [cameraOf()]: { clip: 'av-360p' } } as const
  const emulator = await startEmulator({ config: { cameras } })
  const port = await freePort()
  const config = await writeConfig(dir(), {
    server: { port },
    admin: { port: await freePort() },
    aws: { region: 'us-west-2', endpoint: emulator.url },
    cache: { dir: join(dir(), 'state') },
    // Long lists, so that a start on a slow machine is no gap.
    defaults: { activation: 'always', window: 20, dvr: '30s', kvs: { fragmentResults: 40 } },
    streams: { lobby: { kvs: { streamName: cameraOf() } } },
  })
  const url = `http://127.0.0.1:${port}`
  const watchUrl = `${url}/hls/lobby/master.m3u8`
  const start = (): Promise<Child> => startProgram(['serve', '--config', config], url)
  const end = new AbortController()
  const monitor = new ContinuityMonitor(watchUrl, { signal: end.signal })
  const dvrUrl = `${url}/hls/lobby/dvr.m3u8`
  const past = new ContinuityMonitor(dvrUrl, { signal: end.signal })
  const random = seededRandom(1)

  let gateway = await start()
  try {
    for (let kills = 0; kills < 3; kills += 1) {
      await watch([monitor, past], between(random, 1_500, 2_500))
      const before = [...(await shown(watchUrl)), ...(await shown(dvrUrl))]
      await kill(gateway)
      gateway = await start()
      expectKept(before, [...(await shown(watchUrl)), ...(await shown(dvrUrl))])
    }
    await watch([monitor, past], 2_000)
    for (const each of [monitor, past]) {
      expect(each.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    }
  } finally {
    end.abort()
    await gateway.stop()
    await emulator.close()
  }
})

async function watch(monitors: readonly ContinuityMonitor[], ms: number): Promise<void> {
  const untilMs = Date.now() + ms
  while (Date.now() < untilMs) {
    await Promise.all(monitors.map((monitor) => monitor.poll()))
    await realSleep(300)
  }
}

async function kill(gateway: Child): Promise<void> {
  process.kill(gateway.pid, 'SIGKILL')
  while (gateway.running) await realSleep(10)
}

/** What is still listed, which is most of it, is what it was; and all can be fetched. */
function expectKept(before: readonly ShownSegment[], after: readonly ShownSegment[]): void {
  const names = new Set(after.map(({ url }) => url))
  const still = before.filter(({ url }) => names.has(url))
  expect(still.length).toBeGreaterThanOrEqual(10)
  expect(after).toEqual(expect.arrayContaining(still))
  expect(after.filter(({ content }) => !/^200 \w+ 200 /.test(content))).toEqual([])
}
