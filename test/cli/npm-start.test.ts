import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
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
