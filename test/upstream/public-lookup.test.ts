import { describe, expect, test } from 'vitest'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { isInner, publicLookup } from '../../src/upstream/public-lookup.ts'
import { readText } from '../../src/upstream/read-text.ts'
import { startWebServer } from './support/web-server.ts'

const never = new AbortController().signal

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
])('G17: %s is somebody’s own network', (address) => {
  expect(isInner(address)).toBe(true)
})

test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2600:9000::1', '::ffff:8.8.8.8'])(
  'control: %s is public',
  (address) => {
    expect(isInner(address)).toBe(false)
  },
)

describe('G17: a host with a public name', () => {
  type Resolve = NonNullable<Parameters<typeof publicLookup>[0]>

  const at =
    (...addresses: readonly string[]): Resolve =>
    (_name, _options, callback) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }

  async function ask(...addresses: readonly string[]): Promise<{ asked: number; error: unknown }> {
    await using server = await startWebServer()
    server.replies['/'] = 'inner'
    const { port } = new URL(server.url)
    const agent = new UpstreamAgent({}, publicLookup(at(...addresses)))
    const url = new URL(`http://cdn.example.com:${port}/`)
    const text = readText({ agent, url, accept: '*/*', maxBytes: 1000 }, never)
    const error = await text.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    await agent.destroy()
    return { asked: server.asked.length, error }
  }

  test.each([['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['10.0.0.1', '127.0.0.1']])(
    'that leads to %s is not connected to',
    async (...addresses) => {
      const { asked, error } = await ask(...addresses)
      expect(asked).toBe(0)
      expect(String(error)).toContain('the host has no public address')
    },
  )

  test('is connected to at its public addresses alone', async () => {
    const found = await new Promise((resolve, reject) => {
      publicLookup(at('127.0.0.1', '8.8.8.8', '::1', '2600:9000::1'))(
        'cdn.example.com',
        { all: true },
        (error, addresses) => (error === null ? resolve(addresses) : reject(error)),
      )
    })
    expect(found).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2600:9000::1', family: 6 },
    ])
  })

  test('control: without the guard it is asked', async () => {
    await using server = await startWebServer()
    server.replies['/'] = 'inner'
    const { port } = new URL(server.url)
    const agent = new UpstreamAgent({}, (_name, options, callback) => {
      if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else callback(null, '127.0.0.1', 4)
    })
    const url = new URL(`http://cdn.example.com:${port}/`)
    const text = await readText({ agent, url, accept: '*/*', maxBytes: 1000 }, never)
    expect(text).toBe('inner')
    await agent.destroy()
  })
})
