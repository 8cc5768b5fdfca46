import { createHmac } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { FakeTerminal } from './fake-terminal.ts'

const GOOD = 'streams: { lobby: { kvs: { streamName: x } } }\n'

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'))
  file = join(folder, 'gateway.yaml')
})
afterAll(() => rm(folder, { recursive: true }))

async function runsWith(text: string, ...argv: readonly string[]) {
  await writeFile(file, text)
  const terminal = new FakeTerminal({ SECRET: 's3cret' })
  const code = await run(
    argv.map((arg) => (arg === 'FILE' ? file : arg)),
    terminal,
  )
  const short = (line: string) => line.replace(file, 'gateway.yaml')
  return { code, out: terminal.outLines.map(short), err: terminal.errLines.map(short) }
}

describe('check', () => {
  test('looks into the files that a configuration names', async () => {
    const slate = (path: string) =>
      `streams: { lobby: { kvs: { streamName: x }, slateFile: '${path}' } }`
    const shipped = new URL('../../src/slate/pictures/avc-640x360.mp4', import.meta.url).pathname
    expect(await runsWith(slate(shipped), 'check', 'FILE')).toMatchObject({ code: 0, err: [] })
    const expected =
      'expected an MP4 of at most 64 MiB with H.264 or HEVC, and AAC-LC if it has sound'
    expect(await runsWith(slate('missing.mp4'), 'check', 'FILE')).toEqual({
      code: 1,
      out: [],
      err: [`gateway.yaml: streams.lobby.slateFile: ${expected}, got "missing.mp4": ENOENT`],
    })
    const dynamic = "dynamicStreams: [{ match: '^a$', slateFile: missing.mp4 }]"
    expect((await runsWith(dynamic, 'check', 'FILE')).err[0]).toContain(
      'gateway.yaml: dynamicStreams[0].slateFile: expected an MP4',
    )
    const text = await runsWith(slate(file), 'serve', '--config', 'FILE')
    expect(text.code).toBe(1)
    expect(text.err).toHaveLength(1)
    expect(text.err[0]).toContain('streams.lobby.slateFile: expected an MP4')
  })

  test('prints one line per fault, and nothing else, and exits 1', async () => {
    const text =
      'server: { port: x, prot: 1 }\nstreams: { lobby: { kvs: { streamName: x }, window: 0 } }'
    expect(await runsWith(text, 'check', 'FILE')).toEqual({
      code: 1,
      out: [],
      err: [
        'gateway.yaml:1: server.port: expected an integer from 0 to 65535, got "x"',
        'gateway.yaml:1: server.prot: expected a known key (host, port, reusePort, drainDelay, tls), got "prot"',
        'gateway.yaml:2: streams.lobby.window: expected an integer from 1 to 1000, got 0',
      ],
    })
  })

  test('exits 0 for a good file', async () => {
    expect(await runsWith(GOOD, 'check', 'FILE')).toEqual({
      code: 0,
      out: ['gateway.yaml: no faults, 1 stream'],
      err: [],
    })
  })

  test('only notes what is not available yet', async () => {
    expect(await runsWith(`defaults: { outputs: [hls, dash] }\n${GOOD}`, 'check', 'FILE')).toEqual({
      code: 0,
      out: [
        'gateway.yaml: streams.lobby.outputs: dash: not available yet',
        'gateway.yaml: no faults, 1 stream',
      ],
      err: [],
    })
  })

  test('exits 1 for a file that is not there', async () => {
    const { code, err } = await runsWith(GOOD, 'check', '/nowhere/gateway.yaml')
    expect(code).toBe(1)
    expect(err).toEqual(['/nowhere/gateway.yaml: expected a file that can be read, got ENOENT'])
  })
})

describe('serve', () => {
  test('refuses to start without a feature that is configured', async () => {
    const text = `defaults: { outputs: [hls, dash] }\n${GOOD}`
    expect(await runsWith(text, '--config', 'FILE')).toEqual({
      code: 1,
      out: [],
      err: ['gateway.yaml: streams.lobby.outputs: dash: not available yet'],
    })
  })

  test('a bad file stops the start with one line per fault', async () => {
    const { code, err } = await runsWith('streams: { a: {} }', '--config', 'FILE')
    expect(code).toBe(1)
    expect(err).toEqual([
      'gateway.yaml:1: streams.a: expected exactly one of kvs and hls, got a mapping',
    ])
  })
})

describe('sign', () => {
  const signing = `auth: { mode: signed-path, keys: [{ id: k2, secret: "\${SECRET}" }, { id: k1, secret: old }] }\n${GOOD}`

  test('prints where one stream plays, signed with the first key', async () => {
    const before = Math.floor(Date.now() / 1000)
    const { code, out } = await runsWith(
      signing,
      'sign',
      '--stream',
      'lobby',
      '--ttl',
      '1h',
      '--config',
      'FILE',
    )
    expect(code).toBe(0)
    const [, exp, pattern, mac] =
      /^\/s\/(\d+)\.k2\.([\w-]+)\.([\w-]+)\/hls\/lobby\/master\.m3u8$/.exec(out[0] ?? '') ?? []
    expect(Number(exp) - before).toBeGreaterThanOrEqual(3600)
    expect(Number(exp) - before).toBeLessThan(3660)
    expect(Buffer.from(pattern ?? '', 'base64url').toString()).toBe('lobby')
    const expected = createHmac('sha256', 's3cret')
      .update(`${exp}.k2.${pattern}`)
      .digest('base64url')
    expect(mac).toBe(expected)
  })

  test('prints what all paths of a pattern begin with', async () => {
    const { out } = await runsWith(
      signing,
      'sign',
      '--stream',
      'cam-*',
      '--ttl',
      '1h',
      '--config',
      'FILE',
    )
    expect(out[0]).toMatch(/^\/s\/\d+\.k2\.[\w-]+\.[\w-]+\/$/)
  })

  test('needs keys to sign with', async () => {
    const { code, err } = await runsWith(
      GOOD,
      'sign',
      '--stream',
      'a',
      '--ttl',
      '1h',
      '--config',
      'FILE',
    )
    expect(code).toBe(1)
    expect(err).toEqual([
      'gateway.yaml: auth.mode: expected signed-path, to sign with its keys, got "none"',
    ])
  })
})
