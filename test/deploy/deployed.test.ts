import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type RunningGateway, startGateway } from '../../src/gateway.ts'
import { RedisServer } from '../proof/redis-server.ts'
import { FIRST } from '../support/certificates.ts'
import { hasTool } from '../support/tools.ts'

/** What we ship for compose and Kubernetes, against a gateway that runs with its configuration. */
const CONFIG = fileURLToPath(new URL('../../config/', import.meta.url))
const COMPOSE = join(CONFIG, 'deploy/compose')
const read = (file: string): Promise<string> => readFile(join(CONFIG, file), 'utf8')

const ENV = {
  ADMIN_TOKEN: 'an-admin-token',
  CDN_SECRET: 'a-secret-of-the-cdn',
  REDIS_PASSWORD: 'unused',
  REDIS_URL: 'redis://127.0.0.1:6379/0',
  POD_NAME: 'kvs-hls-gateway-0',
  POD_IP: '127.0.0.1',
}
const FOLDER = '/var/lib/kvs-hls-gateway'

const service = z.object({
  image: z.string().regex(/^[a-z/-]+(:[\w.-]+)?$/),
  restart: z.literal('unless-stopped'),
  hostname: z.string().optional(),
  stop_grace_period: z.string().optional(),
  environment: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
})
const composition = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
})

const probe = z.object({ httpGet: z.object({ port: z.string(), path: z.string() }) })
const labels = z.record(z.string(), z.string())
const statefulSet = z.object({
  kind: z.literal('StatefulSet'),
  spec: z.object({
    replicas: z.literal(3),
    serviceName: z.string(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        terminationGracePeriodSeconds: z.int(),
        containers: z.tuple([
          z.object({
            ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
            startupProbe: probe,
            livenessProbe: probe,
            readinessProbe: probe,
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
            resources: z.object({ limits: z.object({ memory: z.string().regex(/^\d+Mi$/) }) }),
          }),
        ]),
      }),
    }),
    volumeClaimTemplates: z.tuple([z.object({ metadata: z.object({ name: z.string() }) })]),
  }),
})
const manifest = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) })
const configMap = manifest.extend({ data: z.object({ 'gateway.yaml': z.string() }) })
const selecting = manifest.extend({
  spec: z.object({
    selector: z.unknown(),
    ports: z.array(z.object({ targetPort: z.string() })).default([]),
  }),
})

/** What closing takes at most, in seconds: section 2 of what users rely on. */
const CLOSE_S = 10

function gatewayConfig(text: string): Config {
  const config = parseConfig('gateway.yaml', text, { ...ENV })
  expect(config.server.host).toBe('0.0.0.0')
  expect(config.admin.host).toBe('0.0.0.0')
  expect(config.cache.dir).toBe(FOLDER)
  return config
}

describe('compose.yaml', async () => {
  const { services, volumes } = composition.parse(
    parse(await read('deploy/compose/compose.yaml'), { merge: true }),
  )
  const nodes = Object.entries(services).filter(([name]) => name.startsWith('node-'))
  const config = gatewayConfig(await read('deploy/compose/gateway.yaml'))

  test('has three nodes, each with a name and a disk of its own, and time enough to end', () => {
    expect(nodes.map(([name]) => name)).toEqual(['node-1', 'node-2', 'node-3'])
    for (const [name, { hostname, volumes: mounts, stop_grace_period: grace }] of nodes) {
      expect(hostname).toBe(name)
      expect(mounts).toContain(`${name}:${FOLDER}`)
      expect(mounts).toContain('./gateway.yaml:/etc/kvs-hls-gateway/gateway.yaml:ro')
      expect(Number.parseInt(grace ?? '0', 10)).toBeGreaterThan(
        config.server.drainDelayMs / 1000 + CLOSE_S,
      )
    }
  })

  test('mounts what is there', async () => {
    const mounts = Object.values(services).flatMap((one) =>
      one.volumes.map((mount) => mount.split(':')[0] ?? ''),
    )
    const files = mounts.filter((from) => from.startsWith('.') && from !== './tls')
    for (const file of files) expect(await readFile(resolve(COMPOSE, file), 'utf8')).not.toBe('')
    const named = mounts.filter((from) => !from.startsWith('.'))
    expect(new Set(named)).toEqual(new Set(Object.keys(volumes)))
  })

  test('lets nodes, nginx and Prometheus find each other', async () => {
    const all = (port: number): readonly string[] => nodes.map(([name]) => `${name}:${port}`)
    expect(services['nginx']?.environment).toContain(`NODES=${all(config.server.port).join(' ')}`)
    const prometheus = await read('deploy/compose/prometheus.yaml')
    for (const target of all(config.admin.port)) expect(prometheus).toContain(`'${target}'`)
    expect(config.redis.url).toBe('redis://:unused@redis:6379/0')
    expect(Object.keys(services)).toContain('redis')
    expect(await read('deploy/compose/grafana.yaml')).toContain('http://prometheus:9090')
  })

  test('gives nodes every variable that their configuration names', async () => {
    const wanted = (await read('deploy/compose/gateway.yaml')).matchAll(/\$\{(\w+)\}/g)
    const given = (nodes[0]?.[1].environment ?? []).map((one) => one.split('=')[0])
    for (const [, name] of wanted) expect(given).toContain(name)
  })

  test.skipIf(!hasTool('promtool'))('has a configuration that Prometheus reads', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'compose-prometheus-'))
    try {
      const text = await read('deploy/compose/prometheus.yaml')
      await writeFile(join(dir, 'prometheus.yml'), text.replace('/run/secrets', dir))
      await writeFile(join(dir, 'admin-token'), ENV.ADMIN_TOKEN)
      await copyFile(
        join(CONFIG, 'monitoring/prometheus-rules.yaml'),
        join(dir, 'prometheus-rules.yaml'),
      )
      const { stdout } = await promisify(execFile)('promtool', [
        'check',
        'config',
        join(dir, 'prometheus.yml'),
      ])
      expect(stdout).toContain('rules found')
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  test.skipIf(!hasTool('nginx'))(
    'makes a configuration that nginx takes, with nodes, secret and certificate',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'compose-nginx-'))
      try {
        const made = await madeForNginx(dir)
        expect(made).toContain('server 127.0.0.1:18081; server 127.0.0.1:18082;')
        expect(made).not.toContain('server 127.0.0.1:8080;')
        expect(made.match(/X-Cdn-Secret "a-secret-of-the-cdn"/g)).toHaveLength(2)
        expect(made).toContain('listen 443 ssl http2; ssl_certificate')
        await checkNginx(dir, made)
      } finally {
        await rm(dir, { recursive: true })
      }
    },
  )
})

/** Runs nginx.sh as the container does, up to where it becomes nginx. */
async function madeForNginx(dir: string): Promise<string> {
  const stub = join(dir, 'bin')
  await mkdir(stub)
  await writeFile(join(stub, 'nginx'), '#!/bin/sh\n')
  await chmod(join(stub, 'nginx'), 0o755)
  await mkdir(join(dir, 'tls'))
  await writeFile(join(dir, 'tls/cert.pem'), FIRST.cert)
  await writeFile(join(dir, 'tls/key.pem'), FIRST.key)
  await copyFile(join(CONFIG, 'cdn/nginx.conf'), join(dir, 'nginx.conf'))
  const env = {
    PATH: `${stub}:${process.env['PATH'] ?? ''}`,
    KVS_HLS_FOLDER: dir,
    NGINX_CONF: join(dir, 'made.conf'),
    NGINX_SOCKETS: dir,
    NODES: '127.0.0.1:18081 127.0.0.1:18082',
    CDN_SECRET: ENV.CDN_SECRET,
  }
  await promisify(execFile)('sh', [join(COMPOSE, 'nginx.sh')], { env })
  return readFile(join(dir, 'made.conf'), 'utf8')
}

async function checkNginx(dir: string, made: string): Promise<void> {
  await writeFile(join(dir, 'made.conf'), made.replaceAll('/var/cache/', `${dir}/`))
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir};`,
  )
  const main = `pid ${dir}/pid; events {} http { access_log off; ${temp.join(' ')} include ${dir}/made.conf; }`
  await writeFile(join(dir, 'main.conf'), main)
  await promisify(execFile)('nginx', [
    '-t',
    '-e',
    'stderr',
    '-p',
    dir,
    '-c',
    join(dir, 'main.conf'),
  ])
}

describe('kubernetes.yaml', async () => {
  const documents = parseAllDocuments(await read('deploy/kubernetes.yaml')).map(
    (one): unknown => one.toJS() as unknown,
  )
  const kinds = documents.map((one) => manifest.parse(one).kind)
  const of = (kind: string): unknown[] => documents.filter((_, i) => kinds[i] === kind)
  const config = gatewayConfig(configMap.parse(of('ConfigMap')[0]).data['gateway.yaml'])
  const { spec } = statefulSet.parse(of('StatefulSet')[0])
  const pod = spec.template.spec
  const [container] = pod.containers
  const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]))

  test('selects the pods that it makes', () => {
    const { labels: made } = spec.template.metadata
    expect(spec.selector.matchLabels).toEqual(made)
    for (const one of [...of('Service'), ...of('PodDisruptionBudget')]) {
      const { selector } = selecting.parse(one).spec
      expect([made, { matchLabels: made }]).toContainEqual(selector)
    }
    expect(of('Service').map((one) => manifest.parse(one).metadata.name)).toContain(
      spec.serviceName,
    )
  })

  test('knows the ports and folders of the configuration, and gives it time and memory', () => {
    expect(ports).toEqual(
      new Map([
        ['public', config.server.port],
        ['admin', config.admin.port],
      ]),
    )
    for (const one of of('Service')) {
      for (const { targetPort } of selecting.parse(one).spec.ports)
        expect(ports.has(targetPort)).toBe(true)
    }
    const state = container.volumeMounts.find(({ mountPath }) => mountPath === config.cache.dir)
    expect(state?.name).toBe(spec.volumeClaimTemplates[0].metadata.name)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(
      config.server.drainDelayMs / 1000 + CLOSE_S,
    )
    const memory = Number.parseInt(container.resources.limits.memory, 10) * 2 ** 20
    expect(memory).toBeGreaterThanOrEqual(config.cache.maxBytes + 500 * 2 ** 20)
  })

  describe.skipIf(!hasTool('redis-server'))('probes', () => {
    let dir: string
    let redis: RedisServer
    let gateway: RunningGateway

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'deployed-'))
      redis = await RedisServer.start()
      const here = { host: '127.0.0.1', port: 0 }
      gateway = await startGateway(
        {
          ...config,
          server: { ...config.server, ...here },
          admin: { ...config.admin, ...here },
          cache: { ...config.cache, dir },
          redis: { ...config.redis, url: redis.url },
        },
        { clock: systemClock, random: () => 0.5, log: silentLog, env: {} },
      )
    })
    afterAll(async () => {
      await gateway.close()
      await redis.kill()
      await rm(dir, { recursive: true, force: true })
    })

    const status = async (path: string, headers = {}): Promise<number> =>
      (await fetch(gateway.adminUrl + path, { headers })).status

    test('get 200 without a token, and readiness 503 once the pod is to end', async () => {
      for (const { httpGet } of [
        container.startupProbe,
        container.livenessProbe,
        container.readinessProbe,
      ]) {
        expect(ports.get(httpGet.port)).toBe(config.admin.port)
        expect([httpGet.path, await status(httpGet.path)]).toEqual([httpGet.path, 200])
      }
      expect(await status('/metrics')).toBe(401)
      expect(await status('/metrics', { authorization: `Bearer ${ENV.ADMIN_TOKEN}` })).toBe(200)
      gateway.retire()
      expect(await status(container.readinessProbe.httpGet.path)).toBe(503)
      expect(await status(container.livenessProbe.httpGet.path)).toBe(200)
    })
  })
})
