import { clip } from './outputs/clip.ts'
import { archiveList, archiveMedia } from './outputs/hls-archive.ts'
import { dvrMedia, dvrMultivariant } from './outputs/hls-dvr.ts'
import { livePlaylist } from './outputs/hls-live.ts'
import { publishedMedia } from './outputs/hls-media.ts'
import type { Output } from './resource.ts'

/** All that can be had of a stream. Another output is a renderer, a line here, and its tests. */
export const OUTPUTS: readonly Output[] = [
  livePlaylist,
  publishedMedia,
  dvrMultivariant,
  dvrMedia,
  archiveList,
  archiveMedia,
  clip,
]
