import { spawn } from 'node:child_process'

export interface Finished {
  readonly stdout: Buffer
  /** Lines that are not empty. */
  readonly stderr: readonly string[]
  readonly code: number | null
}

export interface RunOptions {
  readonly input?: Buffer
  readonly signal?: AbortSignal
  /** Killed after this many milliseconds of real time. Default 240 s. */
  readonly deadlineMs?: number
}

/** Runs ffmpeg or ffprobe to its end. Rejects when it cannot start or runs into the deadline. */
export function runTool(
  command: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  { input, signal, deadlineMs = 240_000 }: RunOptions = {},
): Promise<Finished> {
  const expiry = AbortSignal.timeout(deadlineMs)
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: signal === undefined ? expiry : AbortSignal.any([signal, expiry]),
    killSignal: 'SIGKILL',
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A decoder that stops reading early closes the pipe; its exit code says whether that was wrong.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const stderr = Buffer.concat(err)
        .toString()
        .split(/[\r\n]+/)
        .filter((line) => line !== '')
      resolve({ stdout: Buffer.concat(out), stderr, code })
    })
  })
}
