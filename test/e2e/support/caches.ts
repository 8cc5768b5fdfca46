import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { Child } from '../../proof/child-process.ts'
import { freePort } from '../../proof/free-port.ts'

/** A cache in front of a gateway: a real program, with the configuration that we ship. */
export interface Cache {
  readonly name: 'nginx' | 'varnish'
  readonly url: string
  stop(): Promise<void>
}

export interface CacheOptions {
  /** A folder of its own. */
  readonly dir: string
  readonly originPort: number
}

/** Varnish calls a compiler for its configuration. */
const START_MS = 240_000

const SHIPPED = fileURLToPath(new URL('../../../config/cdn/', import.meta.url))

/** Starts Debian's nginx with `config/cdn/nginx.conf`, of which only addresses and folders are changed. */
export async function startNginx({ dir, originPort }: CacheOptions): Promise<Cache> {
  const port = await freePort()
  await mkdir(join(dir, 'temp'), { recursive: true })
  const shipped = await shippedWith('nginx.conf', [
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['server 127.0.0.1:8080;', `server 127.0.0.1:${originPort};`],
    ['unix:/run/', `unix:${dir}/`],
    ['/var/cache/', `${dir}/`],
  ])
  await writeFile(join(dir, 'kvs-hls.conf'), shipped)
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/temp;`,
  )
  // As root, workers would become another user who cannot read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  await writeFile(
    join(dir, 'main.conf'),
    `${user} daemon off; worker_processes 1; pid ${dir}/pid; error_log stderr notice;
events { worker_connections 4096; }
http { access_log off; ${temp.join(' ')} include ${dir}/kvs-hls.conf; }
`,
  )
  const child = await Child.start({
    command: 'nginx',
    args: ['-p', dir, '-e', 'stderr', '-c', join(dir, 'main.conf')],
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '' },
    ready: /start worker process /,
    startMs: START_MS,
  })
  return { name: 'nginx', url: `http://127.0.0.1:${port}`, stop: () => child.stop() }
}

/** Starts Debian's varnishd with `config/cdn/default.vcl`, of which only the gateway's address is changed. */
export async function startVarnish({ dir, originPort }: CacheOptions): Promise<Cache> {
  const port = await freePort()
  await mkdir(dir, { recursive: true })
  const vcl = join(dir, 'default.vcl')
  await writeFile(
    vcl,
    await shippedWith('default.vcl', [['.port = "8080"', `.port = "${originPort}"`]]),
  )
  const address = `127.0.0.1:${port}`
  const child = await Child.start({
    command: 'varnishd',
    // As root it would become another user, who cannot read the folder.
    args: [
      '-j',
      'none',
      '-F',
      '-n',
      join(dir, 'work'),
      '-a',
      address,
      '-f',
      vcl,
      '-s',
      'malloc,256m',
    ],
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '' },
    ready: /Child launched OK|Child \(\d+\) said Child starts/,
    startMs: START_MS,
  })
  // Its worker says that it starts, not that it accepts.
  await vi.waitUntil(() => accepts(port), { timeout: START_MS, interval: 50 })
  return { name: 'varnish', url: `http://${address}`, stop: () => child.stop() }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Reads a configuration, and fails where it says no longer what is to be changed. */
async function shippedWith(
  file: string,
  changes: readonly (readonly [string, string])[],
): Promise<string> {
  let text = await readFile(join(SHIPPED, file), 'utf8')
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} does not say ${from}`)
    text = text.replaceAll(from, to)
  }
  return text
}
