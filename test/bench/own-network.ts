import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

const INSIDE = 'BENCH_OWN_NETWORK'

/**
 * BBR paces even loopback, and then a bulk transfer measures the pacing. Where we may, the benchmark runs in
 * a network of its own with a congestion control that does not pace; the machine's setting stays as it is.
 */
const SETUP = `
ip link set lo up || exit 70
for control in cubic reno; do
  sysctl -qw net.ipv4.tcp_congestion_control=$control 2>/dev/null && break
done
exec "$0" "$@"`

/** Runs this script again inside such a network, and returns what it printed; undefined where that is not possible. */
export async function inOwnNetwork(
  script: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  if (process.env[INSIDE] !== undefined || congestionControl() !== 'bbr') return undefined
  const child = spawn('unshare', ['-n', 'sh', '-c', SETUP, process.execPath, script, ...args], {
    env: { ...process.env, [INSIDE]: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.on('error', () => {})
  const output = text(child.stdout)
  const [code] = (await once(child, 'close')) as [number | null]
  return code === 0 ? await output : undefined
}

export function congestionControl(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
