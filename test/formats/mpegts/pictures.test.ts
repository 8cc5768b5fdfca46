import { describe, expect, test } from 'vitest'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { writeFragment } from '../../../src/formats/mp4/write-fragment.ts'
import { writeInit } from '../../../src/formats/mp4/write-init.ts'
import { readSegment } from '../../../src/formats/read-segment.ts'
import { complaints, encode, probePackets } from '../../support/packets.ts'
import { hasTool } from '../../support/tools.ts'

/** Sizes that need cropping, fields, other colours and depths: each is in the sequence set elsewhere. */
const PICTURES: readonly [string, ...string[]][] = [
  ['libx264', '-s', '1920x1080'],
  ['libx264', '-s', '322x182'],
  ['libx264', '-s', '720x576', '-flags', '+ildct+ilme'],
  ['libx264', '-s', '720x484', '-flags', '+ildct+ilme'],
  ['libx264', '-profile:v', 'baseline'],
  ['libx264', '-pix_fmt', 'yuv422p'],
  ['libx264', '-pix_fmt', 'yuv444p', '-s', '322x182'],
  ['libx264', '-pix_fmt', 'yuv420p10'],
  ['libx264', '-pix_fmt', 'gray', '-s', '322x182'],
  ['libx264', '-x264-params', 'cqm=jvt'],
  ['libx264', '-x264-params', 'slices=4'],
  ['libx265', '-s', '1920x1080'],
  ['libx265', '-s', '322x182'],
  ['libx265', '-pix_fmt', 'yuv420p10'],
  ['libx265', '-pix_fmt', 'yuv444p', '-s', '323x183'],
  ['libx265', '-x265-params', 'temporal-layers=1'],
]

describe.skipIf(!hasTool('ffmpeg'))('as ffmpeg sees it', () => {
  test.concurrent.each(PICTURES)('%s %s %s', async (encoder, ...options) => {
    const ts = await encode(0.2, '-an', '-c:v', encoder, ...quiet(encoder, options), '-f', 'mpegts')
    const [track] = readSegment(ts, { loneMs: 0 }).tracks
    if (track === undefined) throw new Error('no track')
    const init = writeInit(track.description)
    const media = Buffer.concat([init, writeFragment(track.samples, { trackId: 1 })])
    const size = options[options.indexOf('-s') + 1]
    const [width, height] = options.includes('-s')
      ? (size ?? '').split('x').map(Number)
      : [320, 180]
    expect(readInit(init).video).toEqual({ width, height })
    expect(await complaints(media)).toEqual([])
    expect(await probePackets(media, 'video')).toHaveLength(5)
  })
})

/** x265 tells its life's story otherwise. */
function quiet(encoder: string, options: readonly string[]): readonly string[] {
  const format = ['-pix_fmt', 'yuv420p', ...options]
  const isTold = encoder !== 'libx265' || options.includes('-x265-params')
  return isTold ? format : [...format, '-x265-params', 'log-level=error']
}
