import type { OpenedClip } from '../../archive/clip/clips.ts'
import { mayHaveOneMore } from '../../archive/fair-share.ts'
import type { TimeRange } from '../../archive/recording.ts'
import { GatewayError } from '../../base/errors.ts'
import { CACHE_STATUS } from '../headers.ts'
import type { Asker, Output } from '../resource.ts'
import type { BytesAnswer } from '../send-bytes.ts'
import { readClosedTimeRange } from '../time-range.ts'

/** How many clips are sent at a time, because each holds a fragment or two, however slowly it is read. */
const MAX_SENDING = 40

/**
 * Lets caches keep a clip for a day, not for ever, because a fragment that the camera sends late may still find its
 * place.
 */
const SETTLED = 'public, max-age=86400'
const UNSETTLED = 'public, max-age=1'

/** Says whether the index was there: media are read while a clip is sent, so it is never all a hit. RFC 9211, 2.2. */
const CLIP_STATUS = {
  hit: 'kvs-hls-gateway; fwd=partial',
  miss: 'kvs-hls-gateway; fwd=uri-miss',
  collapsed: 'kvs-hls-gateway; fwd=uri-miss; collapsed',
} as const

/** Serves `/clip/{stream}.mp4?start=T&end=T`: one progressive MP4 of what was recorded. */
export const clip: Output = {
  // Names may hold dots, and end with `.mp4` themselves.
  path: '/clip/:stream(^.+).mp4',
  countedAs: () => 'clip',
  read: ({ stream, query }, { clips, clock, clipReaders }) => {
    if (clips === undefined) throw new GatewayError('not_found', 'There are no clips here')
    return {
      stream,
      countedAs: 'clip',
      needs: 'made',
      find: async (_made, asker) => {
        join(clipReaders, asker)
        const range = readClosedTimeRange(query, clock.date(), clips.maxMs(stream))
        const opened = await asker.wait(() => clips.open(stream, range, asker.signal, asker.name))
        return clipAnswer(opened, fileName(stream, range))
      },
    }
  },
}

/**
 * Adds a reader.
 * @throws GatewayError `overloaded`
 */
function join(readers: Set<Asker>, asker: Asker): void {
  const own = [...readers].filter(({ name }) => name === asker.name).length
  if (!mayHaveOneMore({ own, held: readers.size, most: MAX_SENDING })) {
    throw new GatewayError('overloaded', 'Too many clips are being sent')
  }
  readers.add(asker)
  asker.signal.addEventListener('abort', () => readers.delete(asker), { once: true })
}

function clipAnswer({ clip: made, origin }: OpenedClip, name: string): BytesAnswer {
  const etag = `"${made.id}"`
  const status = CLIP_STATUS[origin]
  return {
    kind: 'bytes',
    size: made.size,
    etag,
    contentHead: {
      'Content-Type': `${made.kind}/mp4`,
      // A player plays it, and what is saved has a name, which needs no escaping.
      'Content-Disposition': `inline; filename="${name}"`,
      'Cache-Status': status,
    },
    sharedHead: {
      'Cache-Control': made.isSettled ? SETTLED : UNSETTLED,
      ETag: etag,
      // A 304 needs no media.
      'Cache-Status': origin === 'hit' ? CACHE_STATUS.hit : status,
    },
    buffer: undefined,
    read: (start, end, signal) => made.read(start, end, signal),
  }
}

/** Names the file `lobby-2026-11-23T10-00-00Z.mp4`, because colons are not for every file system. */
function fileName(stream: string, { startMs }: TimeRange): string {
  const start = new Date(startMs).toISOString().replace(/\.\d+Z$/, 'Z')
  return `${stream}-${start.replaceAll(':', '-')}.mp4`
}
