import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function node(bin: string, ...argv: readonly string[]) {
  const child = spawn(process.execPath, [bin, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', resolve)
  })
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { code, out, err }
}

describe.each(['a clone', 'node_modules'])('from %s', (place) => {
  let folder: string
  let bin = join(root, 'src/cli/bin.js')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bin-'))
    if (place === 'node_modules') bin = join(await install(folder), 'src/cli/bin.js')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('runs, and its exit code is that of the command', async () => {
    expect(await node(bin, '--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    })
    const example = join(root, 'config/gateway.example.yaml')
    expect(await node(bin, 'check', example)).toMatchObject({ code: 0, err: '' })
    const missing = await node(bin, 'check', 'missing.yaml')
    expect(missing.code).toBe(1)
    expect(missing.err).toBe('missing.yaml: expected a file that can be read, got ENOENT\n')
    expect(await node(bin, '--nope')).toMatchObject({ code: 2 })
  })
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with exit code 0', async (signal) => {
  const bin = join(root, 'src/cli/bin.js')
  const child = spawn(process.execPath, [bin, 'emulator', '--port', '0'], { stdio: 'pipe' })
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', resolve)
  })
  child.stdout.setEncoding('utf8')
  let printed = ''
  for await (const chunk of child.stdout) {
    printed += String(chunk)
    if (printed.includes('\n')) break
  }
  expect(printed).toMatch(/is ready: http:\/\/127\.0\.0\.1:\d+\n/)
  child.kill(signal)
  expect(await exited).toBe(0)
})

test.each([[[]], [['--disable-sigusr1']]])(
  'SIGUSR1 opens no inspector: node %j',
  async (options) => {
    const bin = join(root, 'src/cli/bin.js')
    const argv = [...options, bin, 'emulator', '--port', '0']
    const child = spawn(process.execPath, argv, { stdio: 'pipe' })
    const said: string[] = []
    child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
    await once(child.stdout, 'data')
    child.kill('SIGUSR1')
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([0, null])
    expect(said.join('')).not.toContain('Debugger')
  },
)

/** As npm does it, with the dependencies next to the package. Returns the package's folder. */
async function install(folder: string): Promise<string> {
  const modules = join(folder, 'node_modules')
  const target = join(modules, 'kvs-hls-gateway')
  await mkdir(target, { recursive: true })
  for (const part of [
    'src/base',
    'src/cli',
    'src/config',
    'src/formats',
    'config',
    'package.json',
  ]) {
    await cp(join(root, part), join(target, part), { recursive: true })
  }
  for (const dependency of ['zod', 'yaml']) {
    await symlink(join(root, 'node_modules', dependency), join(modules, dependency))
  }
  return target
}
