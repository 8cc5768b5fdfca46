import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Playing, Show } from './playing.ts'

/** How a player is run without a window, and how to read what it prints. */
interface Program {
  readonly args: (url: string) => readonly string[]
  /** Finds where it is, in seconds: since 1970 where it shows the media's own times, else since it began. */
  readonly at: RegExp
  /** Finds what it calls an error; absent where that is no more than saying where it stops. */
  readonly error?: RegExp
  /** What it wants to hear on its standard input before it says where it is. */
  readonly question?: string
}

/** By command. */
const PROGRAMS = {
  ffmpeg: {
    args: (url) => [
      '-nostdin',
      '-v',
      'repeat+level+error',
      '-copyts',
      '-i',
      url,
      '-map',
      '0:v',
      '-enc_time_base',
      '1:1000',
      '-f',
      'framecrc',
      '-',
      '-map',
      '0:a',
      '-f',
      'null',
      '-',
    ],
    // In milliseconds.
    at: /^0, +\d+, +(\d+)\d{3},/,
    error: /\[(?:error|fatal|panic)\]/,
  },
  mpv: {
    args: (url) => [
      '--no-config',
      '--vo=null',
      '--ao=null',
      '--rebase-start-time=no',
      '--msg-level=all=error,statusline=status',
      `--term-status-msg=at \${=time-pos} `,
      url,
    ],
    at: /at (\d+\.\d+) /,
    error: /error/i,
  },
  'gst-launch-1.0': {
    args: (url) => [
      'playbin3',
      `uri=${url}`,
      'audio-sink=fakesink sync=true',
      'video-sink=progressreport update-freq=1 ! fakesink sync=true',
    ],
    at: /^progressreport\d+ \([\d:]+\): (\d+) /,
    error: /^ERROR/,
  },
  vlc: {
    args: (url) => [
      '--intf=rc',
      '--rc-fake-tty',
      '--vout=dummy',
      '--aout=dummy',
      '--play-and-exit',
      url,
    ],
    at: /^(?:> )*(\d+)$/,
    question: 'get_time\n',
  },
} as const satisfies Readonly<Record<string, Program>>

export type PlayerProgram = keyof typeof PROGRAMS

export function isProgram(name: string): name is PlayerProgram {
  return Object.hasOwn(PROGRAMS, name)
}

/** No recording is so long: what is more counts from 1970. */
const LONGEST_S = 1e9
const ASK_EVERY_MS = 500

/** Starts a player of `show`. It takes its time, but for ffmpeg, which is as fast as it can be. */
export function runPlayer(name: PlayerProgram, { url, originMs }: Show): Playing {
  const { args, at, error, question }: Program = PROGRAMS[name]
  const child = spawn(name, args(url), unprivileged())
  const closed = new Promise((resolve) => child.once('close', resolve))
  const errors: string[] = []
  let dateMs: number | undefined
  child.on('error', ({ message }) => errors.push(message))
  // It may be gone by the time it is asked.
  child.stdin.on('error', () => {})
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      const [, seconds] = at.exec(line) ?? []
      if (seconds !== undefined) dateMs = dateOf(Number(seconds), originMs)
      else if (error?.test(line) === true) errors.push(line)
    })
  }
  const asking = setInterval(() => ask(child, question), ASK_EVERY_MS)
  return {
    seen: () => ({ dateMs, ended: child.exitCode === 0, errors }),
    async [Symbol.asyncDispose]() {
      clearInterval(asking)
      child.kill('SIGKILL')
      await closed
    },
  }
}

function dateOf(atS: number, originMs: number): number {
  return atS > LONGEST_S ? atS * 1000 : originMs + atS * 1000
}

function ask(child: ChildProcessWithoutNullStreams, question: string | undefined): void {
  if (question !== undefined && child.stdin.writable) child.stdin.write(question)
}

/** VLC does not run as root. */
function unprivileged(): { uid?: number; gid?: number } {
  const nobody = 65_534
  return process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
}
