import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Child } from '../proof/child-process.ts'
import { FIRST, SECOND } from '../support/certificates.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SOON = { timeout: 60_000 }
const line = z.looseObject({ msg: z.string() })

/** A gateway as a user starts it, with a file that can be changed. */
async function start(): Promise<{ child: Child; write: (text: string) => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'reload-'))
  const file = join(folder, 'gateway.yaml')
  for (const [name, pair] of Object.entries({ FIRST, SECOND })) {
    await writeFile(join(folder, `${name}.crt`), pair.cert)
    await writeFile(join(folder, `${name}.key`), pair.key)
  }
  const write = (text: string): Promise<void> => writeFile(file, text.replaceAll('FOLDER', folder))
  await write(configOf('FIRST', 'lobby'))
  const child = await Child.start({
    command: '/bin/sh',
    args: ['src/cli/start.sh', '--config', file],
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '' },
    ready: / is ready: /,
  })
  onTestFinished(async () => {
    await child.stop()
    await rm(folder, { recursive: true })
  })
  return { child, write }
}

const configOf = (pair: string, stream: string): string => `
server: { port: 0, tls: { cert: FOLDER/${pair}.crt, key: FOLDER/${pair}.key } }
admin: { port: 0 }
aws: { region: us-west-2, endpoint: "http://127.0.0.1:9" }
streams:
  ${stream}: { kvs: { streamName: camera } }
`

test('SIGHUP has the file read again, certificates too; a faulty one changes nothing', async () => {
  const { child, write } = await start()
  const [publicUrl, adminUrl] = Array.from(
    child.lines.join('\n').matchAll(/https?:\/\/[\d.]+:\d+(?= ·|\n|$)/g),
    ([url]) => new URL(url),
  )
  if (publicUrl === undefined || adminUrl === undefined) throw new Error('no URLs')
  const told = (event: string): readonly z.output<typeof line>[] =>
    child.lines
      .filter((each) => each.startsWith('{'))
      .map((each) => line.parse(JSON.parse(each)))
      .filter(({ msg }) => msg === event)
  expect(await subjectShown(publicUrl)).toBe('first')

  await write(configOf('SECOND', 'yard'))
  process.kill(child.pid, 'SIGHUP')
  await expect.poll(() => told('configuration read again'), SOON).toHaveLength(1)
  expect(told('configuration read again')).toEqual([
    expect.objectContaining({
      added: ['yard'],
      removed: ['lobby'],
      unchanged: 0,
      applied: ['streams', 'server.tls'],
    }),
  ])
  expect(await subjectShown(publicUrl)).toBe('second')

  await write(configOf('NONE', 'hall').replace('camera', 'ca/mera'))
  process.kill(child.pid, 'SIGHUP')
  await expect.poll(() => told('configuration not read again'), SOON).toHaveLength(1)
  expect(told('configuration fault')).toHaveLength(1)
  await write(configOf('NONE', 'hall'))
  const answer = await fetch(new URL('/api/v1/reload', adminUrl), { method: 'POST' })
  expect(answer.status).toBe(422)
  expect(await answer.json()).toMatchObject({ faults: [{ key: 'server.tls.cert', line: null }] })
  expect(await subjectShown(publicUrl)).toBe('second')

  const streams = await fetch(new URL('/api/v1/streams', adminUrl))
  expect(await streams.json()).toMatchObject({ streams: [{ name: 'yard' }] })
})

async function subjectShown({ port }: URL): Promise<unknown> {
  const socket = tls.connect({
    port: Number(port),
    host: '127.0.0.1',
    ca: [FIRST.cert, SECOND.cert],
  })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}
