import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { FakeTerminal } from './fake-terminal.ts'

async function runs(...argv: readonly string[]) {
  const terminal = new FakeTerminal()
  const code = await run(argv, terminal)
  return { code, out: terminal.outLines, err: terminal.errLines }
}

test('--help names every command and every exit code', async () => {
  const { code, out, err } = await runs('--help')
  expect(code).toBe(0)
  expect(err).toEqual([])
  for (const word of ['serve', 'check', 'emulator', 'sign', 'Exit codes: 0', '--version']) {
    expect(out.join('\n')).toContain(word)
  }
})

test.each([
  ['serve', '--region REGION'],
  ['check', 'check FILE'],
  ['emulator', '--port N'],
  ['sign', '--ttl 1h'],
])('%s --help tells its options', async (command, text) => {
  const { code, out } = await runs(command, '--help')
  expect(code).toBe(0)
  expect(out.join('\n')).toContain(text)
})

test('--version prints that of the package', async () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { out } = await runs('--version')
  expect(out).toHaveLength(1)
  expect(text).toContain(`"version": "${out[0]}"`)
})

test.each([
  [['chek'], 'unknown command "chek"'],
  [['--nope'], "Unknown option '--nope'"],
  [['check'], 'check needs FILE'],
  [['check', 'a', 'b'], 'unexpected argument "b"'],
  [['check', 'a', '--port', '1'], "Unknown option '--port'"],
  [['--config'], "Option '--config <value>' argument missing"],
  [['--config', 'a', '--stream', 'b'], '--config and --stream exclude each other'],
  [['--region', 'eu-west-1'], '--region belongs to --stream; a file has aws.region'],
  [['emulator', '--port', '70000'], '--port takes a port from 0 to 65535, got "70000"'],
  [
    ['emulator', '--cause', 'none', '--config', 'x'],
    '--cause, --config and --replay exclude each other',
  ],
  [['emulator', '--port', ''], '--port takes a port from 0 to 65535, got ""'],
  [['sign', '--ttl', '1h', '--config', 'x'], '--stream is missing'],
  [
    ['sign', '--stream', 'a', '--ttl', '1y', '--config', 'x'],
    '--ttl takes a duration such as 1h, got "1y"',
  ],
  [
    ['sign', '--stream', 'a/b', '--ttl', '1h', '--config', 'x'],
    '--stream takes a stream name or pattern, got "a/b"',
  ],
])('a wrong command line is one line and exit code 2: %j', async (argv, message) => {
  const { code, out, err } = await runs(...argv)
  expect({ code, out }).toEqual({ code: 2, out: [] })
  expect(err).toEqual([`kvs-hls-gateway: ${message}; see --help`])
})

test('a stream name that cannot be is a fault of the command line', async () => {
  const { code, err } = await runs('--stream', 'front door')
  expect(code).toBe(1)
  expect(err).toEqual([
    'command line: streams["front door"]: expected a stream name of 1 to 256 of A–Z a–z 0–9 _ . -, got "front door"',
  ])
})
