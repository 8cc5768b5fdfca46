import type { BoxShape, KvsObservations } from '../../trace/trace.ts'
import type { CameraConfigInput } from '../config.ts'

/** They go on for as long as anybody looks. */
const MOST_CHANGES = 100_000
/** How far a decode time may be from the epoch's to count as that. */
const SAME_AGE_MS = 7 * 86_400_000

/** Returns the switches for what a session's lists and boxes look like. */
export function listsOf(seen: KvsObservations): CameraConfigInput {
  const texts = seen.session?.renditions.flatMap(({ playlists }) => playlists) ?? []
  const [list = ''] = texts.map(({ text }) => text)
  return {
    ...(list === '' ? {} : listSwitches(list)),
    ...boxSwitches(seen),
  }
}

function listSwitches(list: string): CameraConfigInput {
  const number = /FragmentNumber=(\d+)/.exec(list)?.[1] ?? ''
  return {
    fragmentUri: number.length > 0 && number.length < 20 ? 'index' : 'number',
    mediaSequenceStart: /#EXT-X-MEDIA-SEQUENCE:1\b/.test(list) ? 1 : 0,
    mapSequenceNumber: !list.includes('#EXT-X-MAP') || list.includes('SequenceNumber='),
    events: privateDataChanges(list),
    discontinuitySequence: list.includes('#EXT-X-DISCONTINUITY-SEQUENCE'),
    numberFormat: /#EXTINF:\d+,/.test(list) ? 'plain' : 'java',
  }
}

/** Returns as frequent changes of codec private data as the list has. */
function privateDataChanges(list: string): NonNullable<CameraConfigInput['events']> {
  const changes = new Set(list.match(/#EXT-X-MAP:.*/g)).size - 1
  const fragments = list.match(/#EXTINF:/g)?.length ?? 0
  if (changes < 1) return []
  const every = Math.max(1, Math.floor(fragments / (changes + 1)))
  return [{ event: { type: 'codec-private-data', changes: MOST_CHANGES, every } }]
}

function boxSwitches({ session, takenMs }: KvsObservations): CameraConfigInput {
  const rendition = session?.renditions.find(({ name }) => name !== 'muxed')
  const [media, another] = rendition?.media ?? []
  if (media === undefined || media.boxes.length === 0) return {}
  const count = (type: string): number => media.boxes.filter((box) => box.type === type).length
  const seconds = (media.baseTicks ?? 0) / (rendition?.inits[0]?.timescale ?? 1)
  const isEpoch = Math.abs(1000 * seconds - takenMs) < SAME_AGE_MS
  const repeats = another !== undefined && another.baseTicks === media.baseTicks
  return {
    styp: count('styp') > 0,
    sidx: count('sidx') > 0,
    moofs: Math.min(50, Math.max(1, count('moof'))),
    tfdtBase: isEpoch ? 'epoch' : repeats ? 'fragment' : 'session',
    tfdtVersion: wideTimes(media.boxes) ? 1 : 0,
  }
}

/** Says whether decode times have 64 bits: then a `tfdt` is of 20 bytes. */
function wideTimes(boxes: readonly BoxShape[]): boolean {
  return boxes.some(({ type, size, children = [] }) => {
    return (type === 'tfdt' && size === 20) || wideTimes(children)
  })
}
