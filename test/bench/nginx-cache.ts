import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FIRST } from '../support/certificates.ts'
import { pinned, stopped } from './pinned.ts'

export interface NginxCache {
  readonly port: number
  /** The same over HTTP/2 and TLS. */
  readonly securePort: number
  stop(): Promise<void>
}

/**
 * nginx with proxy_cache in front of `originPort`, one worker on one core, tuned as one would: sendfile,
 * open files kept, no log, connections kept. What it has cached stays for the whole run.
 */
export async function startNginxCache(originPort: number, core: number): Promise<NginxCache> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-nginx-'))
  const port = await freePort()
  const securePort = await freePort()
  await mkdir(join(dir, 'temp'))
  await writeFile(join(dir, 'nginx.conf'), config({ dir, port, securePort, originPort }))
  await writeFile(join(dir, 'crt'), FIRST.cert)
  await writeFile(join(dir, 'key'), FIRST.key)
  const child = pinned(core, 'nginx', ['-p', dir, '-c', join(dir, 'nginx.conf')])
  await answering(port)
  const stop = async (): Promise<void> => {
    await stopped(child)
    await rm(dir, { recursive: true, force: true })
  }
  return { port, securePort, stop }
}

function config(at: { dir: string; port: number; securePort: number; originPort: number }): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${at.dir}/temp;`)
    .join('\n  ')
  // As root, workers would become another user who cannot read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `${user}
daemon off; worker_processes 1; pid ${at.dir}/pid; error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000;
  open_file_cache max=100;
  ${temp}
  proxy_cache_path ${at.dir}/cache keys_zone=media:1m;
  server {
    listen 127.0.0.1:${at.port};
    listen 127.0.0.1:${at.securePort} ssl http2;
    ssl_certificate ${at.dir}/crt; ssl_certificate_key ${at.dir}/key;
    location / {
      proxy_pass http://127.0.0.1:${at.originPort};
      proxy_cache media; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control Vary;
    }
  }
}
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/healthz`)
      return
    } catch {
      await sleep(50)
    }
  }
  throw new Error('nginx does not answer')
}
