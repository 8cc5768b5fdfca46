import type { Config } from '../config/config.ts'
import type { RunningGateway } from '../gateway.ts'

/**
 * How many streams the wall's URL names at most, because more tiles than a wall can show would only make the line
 * unreadable.
 */
const MAX_WALL_STREAMS = 36

/**
 * Returns the one line that says where to look. The first URL in it is the public base URL, without a slash at its end,
 * for scripts to take.
 */
export function readyLine({ publicUrl, adminUrl }: RunningGateway, { streams }: Config): string {
  const names = streams.slice(0, MAX_WALL_STREAMS).map(({ name }) => name)
  const wall = names.length === 0 ? '/wall' : `/wall?streams=${names.join(',')}`
  return `kvs-hls-gateway is ready: ${publicUrl} · wall ${publicUrl}${wall} · admin ${adminUrl}`
}
