import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Child } from './child-process.ts'
import { freePort } from './free-port.ts'

const MASTER = 'ours'
/** For how long a master must be silent to count as down. */
const DOWN_MS = 1_000

const run = promisify(execFile)

/** A redis-server as Sentinel, which alone decides that a master is down and makes a replica the next one. */
export class RedisSentinel {
  readonly #port: number
  readonly #child: Child
  readonly #folder: string

  private constructor(port: number, child: Child, folder: string) {
    this.#port = port
    this.#child = child
    this.#folder = folder
  }

  /** @param master where that one is, on this machine */
  static async start(master: number): Promise<RedisSentinel> {
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'sentinel-'))
    const file = join(folder, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor ${MASTER} 127.0.0.1 ${master} 1`,
      `sentinel down-after-milliseconds ${MASTER} ${DOWN_MS}`,
      `sentinel failover-timeout ${MASTER} 10000`,
    ]
    // It writes there what it learns.
    await writeFile(file, `${lines.join('\n')}\n`)
    const child = await Child.start({
      command: 'redis-server',
      args: [file, '--sentinel'],
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '' },
      ready: /\+monitor master/,
    })
    return new RedisSentinel(port, child, folder)
  }

  /** As the gateway is told of it. */
  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.#port}/${MASTER}`
  }

  /** How many replicas it could choose of. */
  async replicas(): Promise<number> {
    const { stdout } = await run('redis-cli', [
      '-p',
      `${this.#port}`,
      'SENTINEL',
      'REPLICAS',
      MASTER,
    ])
    return stdout.split('\n').filter((line) => line === 'runid').length
  }

  async kill(): Promise<void> {
    if (this.#child.running) process.kill(this.#child.pid, 'SIGKILL')
    await this.#child.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
