/** Says through which proxies requests go, as the environment says it to everybody; absent: none. */
export interface Proxies {
  readonly http?: string | undefined
  readonly https?: string | undefined
  /** The hosts that are asked directly: names, suffixes, `host:port`, `*`, with commas. */
  readonly none?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in small letters first as curl does. What has no proxy of its own for
 * https goes through the other one.
 */
export function proxiesOf(env: Environment): Proxies {
  const named = (name: string): string | undefined => {
    const value = env[name.toLowerCase()] ?? env[name]
    return value === '' ? undefined : value
  }
  const http = named('HTTP_PROXY')
  return { http, https: named('HTTPS_PROXY') ?? http, none: named('NO_PROXY') }
}
