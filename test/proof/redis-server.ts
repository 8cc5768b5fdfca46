import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Child } from './child-process.ts'
import { freePort } from './free-port.ts'
import type { ProcessUsage } from './process-usage.ts'

export interface RedisServerOptions {
  /** Left out: any that is free. */
  readonly port?: number
  /** Further settings, as the command line has them: `--maxmemory 2mb`. */
  readonly args?: readonly string[]
}

/** A number of what INFO says. */
export function infoOf(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1])
}

const run = promisify(execFile)

/** A redis-server that keeps nothing on disk, and that a test can stop, hold and ask by itself. */
export class RedisServer implements AsyncDisposable {
  readonly port: number
  readonly #child: Child
  readonly #folder: string

  private constructor(port: number, child: Child, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  static async start({ port, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
    const at = port ?? (await freePort())
    const folder = await mkdtemp(join(tmpdir(), 'redis-'))
    const child = await Child.start({
      command: 'redis-server',
      args: ['--port', `${at}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args],
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '' },
      ready: /Ready to accept connections/,
    })
    return new RedisServer(at, child, folder)
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** What redis-cli prints for a command. */
  async ask(...command: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', `${this.port}`, ...command])
    return stdout.trimEnd()
  }

  /** What it uses: memory as it counts it, whatever the allocator keeps. */
  async usage(): Promise<ProcessUsage> {
    const [memory, cpu] = await Promise.all([this.ask('INFO', 'memory'), this.ask('INFO', 'cpu')])
    const cpuSeconds = infoOf(cpu, 'used_cpu_user') + infoOf(cpu, 'used_cpu_sys')
    return { rssBytes: infoOf(memory, 'used_memory'), cpuSeconds }
  }

  /** Holds the process: sockets stay, nothing is answered. */
  pause(): void {
    process.kill(this.#child.pid, 'SIGSTOP')
  }

  resume(): void {
    process.kill(this.#child.pid, 'SIGCONT')
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.running) process.kill(this.#child.pid, 'SIGKILL')
    await this.#child.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
