import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test, vi } from 'vitest'
import { freePort } from '../proof/free-port.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../proof/product.ts'
import { SOON } from '../support/browser.ts'

/** Enough that all at one of two processes would be chance of one to 10^9. */
const CONNECTIONS = 32

const options: GatewayOptions = { endpoint: 'http://127.0.0.1:9', streams: ['lobby'] }

test('with server.reusePort two processes share a port, and what one leaves goes to the other', async () => {
  const port = await freePort()
  const gateways: Gateway[] = []
  try {
    for (let i = 0; i < 2; i += 1)
      gateways.push(await startGateway({ ...options, port, reusePort: true }))
    const open = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'))
    await Promise.all(open.map((socket) => once(socket, 'connect')))
    await vi.waitFor(async () => {
      const counts = await Promise.all(
        gateways.map(({ admin }) => admin.metric('kvs_gateway_connections')),
      )
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(CONNECTIONS)
      expect(Math.min(...counts)).toBeGreaterThan(0)
    }, SOON)
    for (const socket of open) socket.destroy()

    await gateways.pop()?.stop()
    for (let i = 0; i < CONNECTIONS; i += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(SOON.timeout),
      })
      expect(answer.status).toBe(200)
      await answer.text()
    }
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()))
  }
})

test('a process that shares its port is in the way of one that does not', async () => {
  const port = await freePort()
  const gateway = await startGateway({ ...options, port, reusePort: true })
  try {
    const alone = startGateway({ ...options, port })
    await expect(alone).rejects.toThrow(`port ${port} on 127.0.0.1 is in use by another process`)
  } finally {
    await gateway.stop()
  }
})
