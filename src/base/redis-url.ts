/** Where a Redis is, and as whom it is used. */
export interface RedisAddress {
  /** One server, the master that Sentinels tell of, or a Redis Cluster that any of the hosts is a member of. */
  readonly kind: 'server' | 'sentinel' | 'cluster'
  readonly tls: boolean
  readonly user: RedisUser
  readonly hosts: readonly RedisHost[]
  readonly database: number
  /** The name that Sentinels know the master by; empty otherwise. */
  readonly master: string
  /** As whom Sentinels are asked. */
  readonly sentinelUser: RedisUser
}

export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** Credentials, none of which is to be printed. */
export interface RedisUser {
  readonly username?: string
  readonly password?: string
}

const FORM =
  /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)(?:\/([^?#\s]*))?(?:\?([^#\s]*))?$/
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::([1-9]\d{0,4}))?$/
const DATABASE = /^\d{1,5}$/
const DEFAULT_PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 } as const

/**
 * Reads `redis://user:password@host:6379/0`, `redis+sentinel://user:password@host1:26379,host2/master/0` or
 * `redis+cluster://user:password@host1:6379,host2`, each with `rediss` for TLS; undefined where it is none of these. Who
 * asks Sentinels stands in `?username=…&password=…`. What is special in a URL is percent-encoded in credentials.
 */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const [, scheme, kind = 'server', user = '', list, path = '', query = ''] = FORM.exec(text) ?? []
  if (list === undefined || !isKind(kind)) return undefined
  const hosts = list.split(',').flatMap((host) => parseHost(host, DEFAULT_PORTS[kind]))
  const credentials = parseUser(user)
  const place = parsePath(kind, path)
  const sentinelUser = parseQuery(query)
  const isWhole =
    hosts.length === list.split(',').length && (kind !== 'server' || hosts.length === 1)
  if (!isWhole || credentials === undefined || place === undefined) return undefined
  if (sentinelUser === undefined || (query !== '' && kind !== 'sentinel')) return undefined
  return { kind, tls: scheme === 'rediss', user: credentials, hosts, ...place, sentinelUser }
}

/** Writes where a Redis is, for logs: without credentials. */
export function showRedis({ kind, tls, hosts, database, master }: RedisAddress): string {
  const scheme = `${tls ? 'rediss' : 'redis'}${kind === 'server' ? '' : `+${kind}`}`
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  const path = [...(master === '' ? [] : [master]), ...(database === 0 ? [] : [database])]
  return [`${scheme}://${list.join()}`, ...path].join('/')
}

function isKind(kind: string): kind is RedisAddress['kind'] {
  return Object.hasOwn(DEFAULT_PORTS, kind)
}

function parseHost(text: string, defaultPort: number): readonly RedisHost[] {
  const [, ipv6, name, port = `${defaultPort}`] = HOST.exec(text) ?? []
  const host = ipv6 ?? name
  return host === undefined || Number(port) > 65_535 ? [] : [{ host, port: Number(port) }]
}

function parseUser(text: string): RedisUser | undefined {
  const [name = '', ...rest] = text.split(':')
  const [username, password] = [decode(name), decode(rest.join(':'))]
  return username === undefined || password === undefined ? undefined : userOf(username, password)
}

function parsePath(
  kind: RedisAddress['kind'],
  path: string,
): Pick<RedisAddress, 'master' | 'database'> | undefined {
  const [master = '', database = '', ...more] = kind === 'sentinel' ? path.split('/') : ['', path]
  if (more.length > 0 || (kind === 'sentinel') !== /^[A-Za-z0-9_.-]+$/.test(master))
    return undefined
  // A Redis Cluster has one database.
  if (database === '') return { master, database: 0 }
  return kind !== 'cluster' && DATABASE.test(database)
    ? { master, database: Number(database) }
    : undefined
}

function parseQuery(query: string): RedisUser | undefined {
  const { username = '', password = '', ...others } = Object.fromEntries(new URLSearchParams(query))
  return Object.keys(others).length > 0 ? undefined : userOf(username, password)
}

function userOf(username: string, password: string): RedisUser {
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
