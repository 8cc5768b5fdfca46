import { Cluster, Redis } from 'ioredis'
import type { RedisAddress } from '../base/redis-url.ts'

/** How long a server may take to accept, and a connection that is closed to end. */
const CONNECT_MS = 3_000
const DISCONNECT_MS = 500

/** A server that owes an answer and says nothing for so long is lost, and all that it owes with it. */
const SILENCE_MS = 3_000

/**
 * Makes a client that is used for one connection: it queues nothing while there is none, sends nothing twice, and does
 * not connect again by itself.
 * @param name what the server's operator sees it as
 */
export function redisClient(address: RedisAddress, name: string): Redis | Cluster {
  const { kind, hosts, database, master, sentinelUser, tls } = address
  const [server] = hosts
  const options = {
    ...address.user,
    ...(tls ? { tls: {} } : {}),
    connectionName: name,
    disableClientInfo: true,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: DISCONNECT_MS,
    socketTimeout: SILENCE_MS,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // A master that has become a replica: whoever asks again where the master is finds the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  }
  const alone = { lazyConnect: true, enableOfflineQueue: false, retryStrategy: null } as const
  if (kind === 'cluster') {
    return new Cluster([...hosts], {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: null,
      redisOptions: options,
    })
  }
  if (kind === 'server') return new Redis({ ...options, ...alone, ...server, db: database })
  return new Redis({
    ...options,
    ...alone,
    db: database,
    name: master,
    sentinels: [...hosts],
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: SILENCE_MS,
    sentinelUsername: sentinelUser.username,
    sentinelPassword: sentinelUser.password,
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  })
}
