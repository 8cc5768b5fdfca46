import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import { type CameraCounters, callsOf } from '../proof/emulator-control.ts'
import { Nodes } from '../proof/nodes.ts'
import { SOON } from '../support/browser.ts'
import { cameraOf } from '../support/world.ts'

/** The streams: one that always runs, one that somebody has to ask for. */
const CAMERAS = {
  lobby: { clip: 'av-360p', tfdtBase: 'session' },
  porch: { clip: 'av-360p', tfdtBase: 'epoch' },
} as const

let nodes: Nodes

beforeAll(async () => {
  nodes = await Nodes.start({
    cameras: CAMERAS,
    count: 3,
    entries: () => ({
      lobby: { kvs: { streamName: cameraOf('lobby') }, activation: 'always', dvr: '1m' },
      porch: { kvs: { streamName: cameraOf('porch') }, idleTimeout: '3s' },
    }),
    dynamicStreams: [{ match: '^any-', kvs: { streamName: cameraOf('porch') }, idleTimeout: '3s' }],
  })
})
afterAll(() => nodes[Symbol.asyncDispose]())

describe('three nodes are one gateway', () => {
  test('G15: every node gives the same bytes and the same head for the same URL', async () => {
    await everywhere('lobby')
    // Media playlists change each second: two nodes are asked in the same one at some time.
    for (const list of ['master.m3u8', 'video.m3u8', 'audio.m3u8', 'dvr.m3u8']) {
      await vi.waitFor(async () => {
        const answers = await nodes.ask(`/hls/lobby/${list}`)
        expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
        expect(new Set(answers.map(({ head }) => JSON.stringify(head))).size).toBe(1)
      }, SOON)
    }
    const [list] = await nodes.ask('/hls/lobby/video.m3u8')
    for (const uri of urisOf(list?.text ?? '')) {
      const answers = await nodes.ask(`/hls/lobby/${uri}`)
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    }
  })

  test.each(['porch', 'any-porch'])(
    'G15: a node that was never asked for %s gives what another one has listed',
    async (stream) => {
      const names = [...nodes.nodes.keys()]
      const [asked = '', ...others] = names
      await nodes.ask(`/hls/${stream}/master.m3u8`, [asked])
      const [list] = await nodes.ask(`/hls/${stream}/video.m3u8`, [asked])
      const uris = urisOf(list?.text ?? '')
      expect(uris.length).toBeGreaterThan(1)
      // Init and newest segment, each from a node that knows nothing yet but whose the stream is, within a beat.
      for (const [i, uri] of [uris[0], uris.at(-1)].entries()) {
        await vi.waitFor(async () => {
          const answers = await nodes.ask(`/hls/${stream}/${uri}`, [asked, others[i] ?? ''])
          expect(answers.map(({ status }) => status)).toEqual([200, 200])
          expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
        }, SOON)
      }
    },
  )

  test('G8: each fragment is fetched once, whichever nodes are asked', async () => {
    const { calls } = await nodes.emulator.control.counters(cameraOf('lobby'))
    const before = fetched(calls)
    const [first] = await nodes.newest('lobby')
    await vi.waitFor(async () => {
      const seen = await nodes.newest('lobby')
      expect(Math.min(...seen)).toBeGreaterThan((first ?? 0) + 3)
    }, SOON)
    const { calls: after } = await nodes.emulator.control.counters(cameraOf('lobby'))
    const [last] = await nodes.newest('lobby')
    // Two tracks each, and perhaps the next one.
    const fragments = (last ?? 0) - (first ?? 0) + 2
    expect(fetched(after) - before).toBeLessThanOrEqual(2 * fragments)
  })

  test('G10: a stream runs as long as viewers of any node want it, and no longer', async () => {
    await everywhere('porch')
    const owner = await nodes.owner('porch')
    const other = [...nodes.nodes.keys()].find((name) => name !== owner) ?? ''
    // Wanted on one node, it goes on beyond the idle time of the others.
    for (let looks = 0; looks < 12; looks += 1) {
      await nodes.ask('/hls/porch/video.m3u8', [other])
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(await nodes.owner('porch')).not.toBeNull()
    // It may be between two owners for a moment.
    await vi.waitFor(async () => {
      for (const name of nodes.nodes.keys()) {
        expect(await nodes.api(name, '/api/v1/streams/porch')).toMatchObject({ state: 'idle' })
      }
    }, SOON)
    const { calls } = await nodes.emulator.control.counters(cameraOf('porch'))
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect((await nodes.emulator.control.counters(cameraOf('porch'))).calls).toEqual(calls)
  })

  test('G10: what an operator orders is done, whichever node is asked', async () => {
    await everywhere('porch')
    const owner = (await nodes.owner('porch')) ?? ''
    const [other = ''] = [...nodes.nodes.keys()].filter((name) => name !== owner)
    const sessions = async (): Promise<number> =>
      callsOf(await nodes.emulator.control.counters(cameraOf('porch')), 'GetHLSStreamingSessionURL')
    const before = await sessions()
    // What was listed before is shown at once, and the session is still being opened.
    await vi.waitFor(() => nodes.order(other, '/api/v1/streams/porch/rollover'), SOON)
    await vi.waitFor(async () => expect(await sessions()).toBeGreaterThan(before), SOON)
    await nodes.order(other, '/api/v1/streams/porch/stop')
    const idle = async (): Promise<void> => {
      for (const name of nodes.nodes.keys()) {
        expect(await nodes.api(name, '/api/v1/streams/porch')).toMatchObject({ state: 'idle' })
      }
    }
    await idle()
    const { calls } = await nodes.emulator.control.counters(cameraOf('porch'))
    // Several beats, and anybody's wish was for longer.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await idle()
    expect((await nodes.emulator.control.counters(cameraOf('porch'))).calls).toEqual(calls)
  })

  test('the API tells the nodes, and who owns a stream', async () => {
    const { nodes: told } = (await nodes.api('node-0', '/api/v1/nodes')) as {
      nodes: { name: string; self: boolean; streams: number }[]
    }
    expect(told.map(({ name, self }) => [name, self])).toEqual([
      ['node-0', true],
      ['node-1', false],
      ['node-2', false],
    ])
    expect(told.reduce((sum, { streams }) => sum + streams, 0)).toBeGreaterThan(0)
  })
})

describe('G1, G3: whoever owns a stream, viewers of all nodes see one timeline', () => {
  test('G12: while Redis is gone, comes back empty, or stands still', async () => {
    const end = new AbortController()
    const monitors = Array.from(
      nodes.nodes.values(),
      (node) => new ContinuityMonitor(node.watchUrl('lobby'), { signal: end.signal }),
    )
    const following = monitors.map((monitor) => monitor.follow())
    await nodes.grown('lobby', 2)
    await nodes.redis.kill()
    // Several times as long as a lease lasts.
    await nodes.grown('lobby', 9)
    await nodes.renewRedis()
    await nodes.grown('lobby', 4)
    nodes.redis.pause()
    await nodes.grown('lobby', 9)
    nodes.redis.resume()
    await nodes.grown('lobby', 4)
    end.abort()
    await Promise.all(following)
    for (const monitor of monitors) {
      expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    }
    const { sessionsAtOnce } = await nodes.emulator.control.counters(cameraOf('lobby'))
    expect(sessionsAtOnce).toBeLessThanOrEqual(2)
  })

  test('while one node after the other reads its file again: a new stream, another window, another source', async () => {
    const lobby = { kvs: { streamName: cameraOf('lobby') }, activation: 'always', dvr: '1m' }
    const porch = { kvs: { streamName: cameraOf('porch') }, idleTimeout: '3s' }
    const reload = async (yard: object): Promise<void> => {
      for (const node of nodes.nodes.values())
        await node.reload({ streams: { lobby, porch, ...yard } })
    }
    const yardOf = (fragmentSelectorType: string, window: number) => ({
      yard: { kvs: { ...porch.kvs, fragmentSelectorType }, activation: 'always', window },
    })
    await reload(yardOf('PRODUCER_TIMESTAMP', 6))
    await everywhere('yard')
    const end = new AbortController()
    const options = { signal: end.signal, tolerances: { seamlessMs: 0 } }
    const monitors = Array.from(
      nodes.nodes.values(),
      (node) => new ContinuityMonitor(node.watchUrl('yard'), options),
    )
    const following = monitors.map((monitor) => monitor.follow())
    await nodes.grown('yard', 2)
    const owner = await nodes.owner('yard')
    await reload(yardOf('PRODUCER_TIMESTAMP', 9))
    await nodes.grown('yard', 3)
    expect(monitors.map((monitor) => monitor.report().discontinuities)).toEqual([0, 0, 0])
    await reload(yardOf('SERVER_TIMESTAMP', 9))
    await nodes.grown('yard', 5)
    expect(await nodes.owner('yard')).toBe(owner)
    end.abort()
    await Promise.all(following)
    for (const monitor of monitors) {
      expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 1, missed: 0 })
    }
    await reload({})
    expect((await nodes.ask('/hls/yard/video.m3u8')).map(({ status }) => status)).toEqual([
      404, 404, 404,
    ])
  })

  test('through a hand-over, a kill -9 and a node that stands still', async () => {
    const end = new AbortController()
    const watched = [...nodes.nodes].map(([name, node]) => ({
      name,
      monitor: new ContinuityMonitor(node.watchUrl('lobby'), { signal: end.signal }),
    }))
    const live = new Set(watched)
    const following = new Set<Promise<void>>()
    for (const { monitor } of watched) following.add(monitor.follow())
    await nodes.grown('lobby', 3)

    const stopped = await nodes.owner('lobby')
    const pid = nodes.get(stopped ?? '').process.pid
    process.kill(pid, 'SIGSTOP')
    const still = [...nodes.nodes.keys()].filter((name) => name !== stopped)
    await vi.waitFor(
      async () => expect(await nodes.owner('lobby', still[0])).not.toBe(stopped),
      SOON,
    )
    await nodes.grown('lobby', 3, still)
    process.kill(pid, 'SIGCONT')
    await nodes.grown('lobby', 3)

    // By order of whichever: to another one, and all goes on.
    const ordered = (await nodes.owner('lobby')) ?? ''
    const [asked = ''] = [...nodes.nodes.keys()].filter((name) => name !== ordered)
    await nodes.order(asked, '/api/v1/streams/lobby/handover')
    await vi.waitFor(async () => {
      expect([ordered, null]).not.toContain(await nodes.owner('lobby'))
    }, SOON)
    await nodes.grown('lobby', 2)

    const killed = (await nodes.owner('lobby')) ?? ''
    await forget(killed)
    await nodes.end(killed, 'SIGKILL')
    await nodes.grown('lobby', 4)
    const left = (await nodes.owner('lobby')) ?? ''
    await forget(left)
    await nodes.end(left, 'SIGTERM')
    await nodes.grown('lobby', 3)
    end.abort()
    await Promise.all(following)

    for (const { monitor } of live) {
      expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    }
    const { sessionsAtOnce } = await nodes.emulator.control.counters(cameraOf('lobby'))
    expect(sessionsAtOnce).toBeLessThanOrEqual(2)

    /** A monitor that cannot reach its node has nothing more to say. */
    async function forget(name: string): Promise<void> {
      const gone = watched.find((each) => each.name === name)
      if (gone === undefined) return
      await gone.monitor.poll()
      expect(gone.monitor.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      live.delete(gone)
    }
  })
})

/** Waits until every node shows the stream. */
async function everywhere(stream: string): Promise<void> {
  await vi.waitFor(async () => {
    const answers = await nodes.ask(`/hls/${stream}/video.m3u8`)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  }, SOON)
}

function urisOf(playlist: string): readonly string[] {
  const map = /#EXT-X-MAP:URI="([^"]+)"/.exec(playlist)?.[1] ?? ''
  return [map, ...playlist.split('\n').filter((line) => line.startsWith('video/'))]
}

function fetched(calls: CameraCounters['calls']): number {
  return Object.values(calls['GetMP4MediaFragment'] ?? {}).reduce((sum, count) => sum + count, 0)
}
