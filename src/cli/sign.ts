import { systemClock } from '../base/clock.ts'
import type { Config, SigningKey } from '../config/config.ts'
import { formatValue, type KeyPath } from '../config/fault.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import { durationMs } from '../config/units.ts'
import { STREAM_PATTERN, writePathToken } from '../formats/signed-path.ts'
import {
  type Args,
  type Command,
  EXIT,
  type ExitCode,
  type Terminal,
  UsageError,
} from './command.ts'
import { requiredOption } from './parse.ts'

export const signCommand: Command = {
  name: 'sign',
  summary: 'Prints a signed path, for auth mode signed-path.',
  operands: [],
  options: {
    stream: { value: 'PATTERN', doc: 'stream names; * stands for any characters, ? for one' },
    ttl: { value: '1h', doc: 'how long the path works: 30s, 15m, 1h' },
    config: { value: 'FILE', doc: 'its auth.keys sign; the first of them' },
  },
  run: sign,
}

async function sign(args: Args, { env, out }: Terminal): Promise<ExitCode> {
  const pattern = streamPattern(requiredOption(args, 'stream'))
  const ttlMs = timeToLive(requiredOption(args, 'ttl'))
  const file = requiredOption(args, 'config')
  const key = signingKey(file, await loadConfig(file, env))
  const expiresS = Math.floor((systemClock.date() + ttlMs) / 1000)
  out(signedPath(writePathToken({ expiresS, keyId: key.id, pattern }, key.secret), pattern))
  return EXIT.ok
}

/** Returns where to play a stream; of a pattern, what all of its paths begin with. */
function signedPath(token: string, pattern: string): string {
  return /[*?]/.test(pattern) ? `/s/${token}/` : `/s/${token}/hls/${pattern}/master.m3u8`
}

function streamPattern(text: string): string {
  if (STREAM_PATTERN.test(text)) return text
  throw new UsageError(`--stream takes a stream name or pattern, got ${formatValue(text)}`)
}

function timeToLive(text: string): number {
  const ms = durationMs(text)
  if (ms >= 1000 && Number.isSafeInteger(ms)) return ms
  throw new UsageError(`--ttl takes a duration such as 1h, got ${formatValue(text)}`)
}

function signingKey(file: string, { auth }: Config): SigningKey {
  const signing = auth.modes.find((mode) => mode.mode === 'signed-path')
  const [first] = signing?.keys ?? []
  if (first !== undefined) return first
  const key: KeyPath = ['auth', 'mode']
  const got = auth.modes.map(({ mode }) => mode).join(', ')
  const expected = 'signed-path, to sign with its keys'
  throw new ConfigError([
    { file, line: undefined, key, expected, got: formatValue(got === '' ? 'none' : got) },
  ])
}
