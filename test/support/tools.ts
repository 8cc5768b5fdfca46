import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that tests run besides Node, and what cannot be tested without them. */
export const TOOLS = {
  ffmpeg: 'that media decodes across roll-overs, and fixtures made on the spot',
  ffprobe: 'timestamps and codecs as an independent reader sees them',
  nginx: 'the cache of config/cdn/nginx.conf before a gateway',
  faketime: 'nodes whose clocks are apart',
  'redis-server': 'what several nodes share, and what they do without it',
  promtool: 'the rules and the dashboard of config/monitoring',
  varnishd: 'the cache of config/cdn/default.vcl before a gateway',
  chromium: 'player and wall pages, hls.js across roll-overs',
  'firefox-esr': 'hls.js, Shaka and video.js in a browser of another make',
  mpv: 'a player that is built on ffmpeg',
  'gst-launch-1.0': 'GStreamer as a player',
  vlc: 'what VLC plays, and where it stops',
} as const

export type Tool = keyof typeof TOOLS

/**
 * Whether a program is installed, for `test.skipIf(!hasTool('ffmpeg'))`. What is missing is said once,
 * before the tests run; with CI set it fails the run instead.
 */
export function hasTool(tool: Tool): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => runs(join(folder, tool)))
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
