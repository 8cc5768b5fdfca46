import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faultLine } from '../../src/config/fault.ts'
import { Certificate, readTlsFiles, type TlsFiles, tlsFaults } from '../../src/gateway/tls-files.ts'
import { ONE_STREAM, parse } from '../config/support.ts'
import { FIRST, SECOND } from '../support/certificates.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { startPublicServer } from '../support/public-server.ts'

const SOON = { timeout: 60_000 }

let folder: string
let files: TlsFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'))
  // As Kubernetes mounts a secret: files are links into a folder that is a link, which is swapped.
  await put('one', FIRST)
  await symlink('one', join(folder, 'data'))
  files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  await symlink('data/tls.crt', files.cert)
  await symlink('data/tls.key', files.key)
})
afterEach(() => rm(folder, { recursive: true }))

async function put(name: string, { cert, key }: typeof FIRST): Promise<void> {
  await mkdir(join(folder, name))
  await writeFile(join(folder, name, 'tls.crt'), cert)
  await writeFile(join(folder, name, 'tls.key'), key)
}

async function swap(name: string): Promise<void> {
  await symlink(name, join(folder, 'next'))
  await rename(join(folder, 'next'), join(folder, 'data'))
}

test('new connections get the certificate that the files hold now, whatever came in between', async () => {
  const clock = new ManualClock()
  const told: string[] = []
  const tell = (event: string) => void told.push(event)
  const log = { debug: tell, info: tell, warn: tell, error: tell }
  const pair = await readTlsFiles(files)
  const server = await startPublicServer({ tls: pair })
  const life = new AbortController()
  const certificate = new Certificate(server.app, files, pair)
  void certificate.follow({ clock, log }, life.signal)
  const look = async (): Promise<string> => {
    await expect.poll(() => clock.nextDueMs, SOON).toBeDefined()
    clock.advance(10_000)
    // It sleeps again once it has looked.
    await expect.poll(() => clock.nextDueMs, SOON).toBeDefined()
    return subjectShown(server.port)
  }
  const stays = tls.connect({ port: server.port, host: '127.0.0.1', ca: FIRST.cert })
  await once(stays, 'secureConnect')

  expect(await look()).toBe('first')
  expect(told).toEqual([])
  expect([certificate.shows(FIRST), certificate.shows(SECOND)]).toEqual([true, false])
  expect(certificate.expiresMs).toBe(Date.UTC(2126, 10, 4, 23, 29, 52))
  await put('mixed', { cert: SECOND.cert, key: FIRST.key })
  await swap('mixed')
  expect(await look()).toBe('first')
  await put('broken', { cert: SECOND.cert.subarray(0, 300), key: SECOND.key })
  await swap('broken')
  expect(await look()).toBe('first')
  await swap('nowhere')
  expect(await look()).toBe('first')
  await look()
  await put('two', SECOND)
  await swap('two')
  expect(await look()).toBe('second')
  // Each once, however often it was looked at.
  const broken = 'certificate not read again'
  expect(told).toEqual([broken, broken, broken, 'certificate read again'])
  expect(stays.destroyed).toBe(false)
  stays.destroy()
  life.abort()
  await server.close()
})

describe('what cannot be used stops the start with a line', () => {
  test.each<[string, (paths: TlsFiles) => Promise<void>, RegExp]>([
    [
      'no certificate',
      ({ cert }) => rm(cert),
      /server\.tls\.cert: .* with a certificate, got ".*tls\.crt": ENOENT$/,
    ],
    ['no key', ({ key }) => rm(key), /server\.tls\.key: .*: ENOENT$/],
    [
      'a folder',
      async ({ key }) => {
        await rm(key)
        await mkdir(key)
      },
      /server\.tls\.key: .*: EISDIR$/,
    ],
    ['no PEM', ({ cert }) => writeFile(cert, 'hello'), /server\.tls\.cert: .*: [a-z ]+$/],
    ['a key for a certificate', ({ cert, key }) => rename(key, cert), /server\.tls\.(cert|key): /],
    [
      'the key of another',
      ({ key }) => writeFile(key, SECOND.key),
      /server\.tls\.key: .*: key values mismatch$/,
    ],
  ])('%s', async (_name, spoil, line) => {
    await spoil(files)
    const config = parse(`server: { tls: ${JSON.stringify(files)} }\n${ONE_STREAM}`)
    const lines = (await tlsFaults('gateway.yaml', config)).map(faultLine)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(line)
    expect(lines[0]).toMatch(/^gateway\.yaml: /)
  })

  test('nothing is said of what can', async () => {
    const config = parse(`server: { tls: ${JSON.stringify(files)} }\n${ONE_STREAM}`)
    expect(await tlsFaults('gateway.yaml', config)).toEqual([])
    expect(await tlsFaults('gateway.yaml', parse(ONE_STREAM))).toEqual([])
  })
})

async function subjectShown(port: number): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: [FIRST.cert, SECOND.cert] })
  await once(socket, 'secureConnect')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return String(CN)
}
