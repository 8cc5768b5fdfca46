import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

function npmStart(): ChildProcess {
  const child = spawn('npm', ['start', '--', '--port', '0', '--admin-port', '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new TypeError('no pipe')
  for await (const line of createInterface(stdout)) {
    const url = / is ready: (\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('it ended before it was ready')
}

// npm runs a script in a shell, and a shell that is told to stop leaves its child behind.
test.each(['SIGTERM', 'SIGINT'] as const)(
  'npm start ends with exit code 0 on %s',
  async (signal) => {
    const npm = npmStart()
    const url = await readyUrl(npm)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    npm.kill(signal)
    expect(await once(npm, 'exit')).toEqual([0, null])
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  },
)

test('a Node that does not start is said in words that help', async () => {
  const { code, err } = await startWith('echo "error while loading shared libraries" >&2; exit 127')
  expect(err).toMatch(/^kvs-hls-gateway: .*apt-get install libatomic1\n$/)
  expect(code).toBe(1)
})

test('Node is told to open no inspector, unless it is too old to know how', async () => {
  const known = await startWith('echo "$@"')
  expect(known).toMatchObject({ code: 0, out: '--disable-sigusr1 src/cli/bin.js check me\n' })
  const old = await startWith('[ "$1" = --disable-sigusr1 ] && exit 9; echo "$@"')
  expect(old).toMatchObject({ code: 0, out: 'src/cli/bin.js check me\n' })
})

/** Runs what `npm start -- check me` does, with a script in the place of Node. */
async function startWith(script: string): Promise<{ code: unknown; out: string; err: string }> {
  const bin = await mkdtemp(join(tmpdir(), 'no-node-'))
  onTestFinished(() => rm(bin, { recursive: true }))
  await writeFile(join(bin, 'node'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const child = spawn('/bin/sh', ['src/cli/start.sh', 'check', 'me'], {
    cwd: root,
    env: { PATH: `${bin}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: (await exited)[0], out, err }
}
