import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { Balancer } from './balancer.ts'

test('each connection goes to the next server, and past one that refuses it', async () => {
  await using balancer = await Balancer.start()
  const servers = [await serverOf('a'), await serverOf('b')]
  try {
    for (const server of servers) balancer.add(urlOf(server), urlOf(server))
    const ask = async (): Promise<string> => {
      const answer = await fetch(`${balancer.url}/`, { headers: { connection: 'close' } })
      return answer.text()
    }
    const told = [await ask(), await ask(), await ask(), await ask()]
    expect(told.toSorted()).toEqual(['a', 'a', 'b', 'b'])
    await closed(servers[0])
    expect([await ask(), await ask(), await ask()]).toEqual(['b', 'b', 'b'])
  } finally {
    for (const server of servers) await closed(server)
  }
})

async function serverOf(name: string): Promise<Server> {
  const server = createServer((_, response) => response.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const urlOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function closed(server: Server | undefined): Promise<void> {
  if (server?.listening !== true) return
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
