import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ForeignMedia, makeHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin, type ForeignOriginOptions } from '../support/foreign-origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { box } from '../support/mp4.ts'
import {
  AUDIO_PID,
  byteStream,
  counted,
  eachPacket,
  editFrames,
  editStamps,
  editStream,
  editTable,
  isTable,
  middleOf,
  moved,
  nullPacket,
  PAT_PID,
  PMT_PID,
  packetsOf,
  streamEntry,
  tablesOf,
  unitsOf,
  unitType,
  VIDEO_PID,
} from '../support/odd-ts.ts'
import { hasTool } from '../support/tools.ts'
import { type Sites, startSites } from './support/site.ts'

type Repack = (bytes: Buffer, segment: number) => Buffer
type Edit = (text: string, path: string, turn: number) => string

/** What an origin does otherwise than the control beside it. */
interface Kind {
  readonly media: ForeignMedia
  /** Further options of ffmpeg, which makes its media. */
  readonly more?: string
  readonly options?: Partial<ForeignOriginOptions>
  readonly repack?: Repack
  readonly edit?: Edit
  readonly change?: (origin: ForeignOrigin) => void
}

const TS = 'MPEG-TS'
const APART = 'fMP4, sound apart'
const TOGETHER = 'fMP4, picture and sound together'
/** Tiny, in segments of a second. */
const SHORT = '-t 18 -s 96x54 -g 25 -keyint_min 25 -hls_time 1'
const PICTURES = 25

const video = (edit: (units: readonly Buffer[], i: number) => readonly Buffer[]): Repack =>
  editStream(VIDEO_PID, (data, i) => byteStream(edit(unitsOf(data), i)))
const sound = (edit: (header: Buffer, frame: Buffer) => readonly Buffer[]): Repack =>
  editStream(AUDIO_PID, (data) => editFrames(data, edit))
const packets =
  (edit: (packet: Buffer, i: number, segment: number) => readonly Buffer[]): Repack =>
  (bytes, segment) => {
    let i = -1
    return eachPacket(bytes, (packet) => {
      i += 1
      return edit(packet, i, segment)
    })
  }
const stamps =
  (edit: (stamp: number, pid: number, segment: number) => number): Repack =>
  (bytes, segment) =>
    editStamps(bytes, (stamp, pid) => edit(stamp, pid, segment))
const lists =
  (edit: (text: string) => string): Edit =>
  (text, path) =>
    path === '/master.m3u8' ? text : edit(text)
const master =
  (edit: (text: string) => string): Edit =>
  (text, path) =>
    path === '/master.m3u8' ? edit(text) : text
const codecs = (written: string): Edit => master((text) => text.replace(/CODECS="[^"]*"/, written))
const isSet = (unit: Buffer): boolean => [7, 8].includes(unitType(unit))
const SECOND = 90_000
const FIRST_LATE = 6

/** What comes through whole. */
const WHOLE: Readonly<Record<string, Kind>> = {
  'nothing (control), MPEG-TS': { media: TS },
  'nothing (control), fMP4': { media: APART },
  'null packets and packets that are sent twice': {
    media: TS,
    repack: packets((packet, i) => (i % 5 === 0 ? [packet, nullPacket(), packet] : [packet])),
  },
  'a program map of two packets, with cues, metadata and private streams': {
    media: TS,
    repack: editTable(PMT_PID, (map) =>
      Buffer.concat([
        map,
        streamEntry(0x86, 0x500),
        streamEntry(0x15, 0x501),
        ...Array.from({ length: 8 }, (_, i) =>
          streamEntry(0x06, 0x600 + i, Buffer.alloc(34, 0x20)),
        ),
      ]),
    ),
  },
  'a network’s table and a second program': {
    media: TS,
    repack: editTable(PAT_PID, (pat) =>
      Buffer.concat([pat.subarray(0, 8), words(0, 0xe010), pat.subarray(8), words(9, 0xfa00)]),
    ),
  },
  'tables in the first segment alone': {
    media: TS,
    repack: packets((packet, _, segment) => (segment > 0 && isTable(packet) ? [] : [packet])),
  },
  'tables behind the first pictures': {
    media: TS,
    repack: (bytes) => {
      const all = packetsOf(bytes)
      const media = all.filter((packet) => !isTable(packet))
      const tables = all.filter(isTable).slice(0, 2)
      return Buffer.concat([...media.slice(0, 6), ...tables, ...media.slice(6)])
    },
  },
  'another program on other PIDs, from the middle of a segment on': {
    media: TS,
    repack: (bytes, segment) => {
      if (segment < FIRST_LATE) return bytes
      const at = segment === FIRST_LATE ? middleOf(bytes) : 0
      const rest = Buffer.concat([tablesOf(bytes), bytes.subarray(at)])
      return Buffer.concat([bytes.subarray(0, at), moved(rest, 7)])
    },
  },
  'counters that begin anew': {
    media: TS,
    repack: counted,
  },
  'no clock': {
    media: TS,
    repack: packets((packet) => {
      const hasClock = (packet.readUInt8(3) & 0x20) !== 0 && packet.readUInt8(4) >= 7
      if (hasClock && (packet.readUInt8(5) & 0x10) !== 0) {
        packet.writeUInt8(packet.readUInt8(5) & 0xef, 5)
        packet.fill(0xff, 6, 12)
      }
      return [packet]
    }),
  },
  'stamps that begin anew in each segment': {
    media: TS,
    options: { dates: 'none' },
    repack: stamps((stamp, _, segment) => stamp - segment * SECOND),
  },
  'an encoder that begins anew, and says nothing': {
    media: TS,
    repack: stamps((stamp, _, segment) =>
      segment < FIRST_LATE ? stamp : stamp - FIRST_LATE * SECOND + 5,
    ),
  },
  'stamps of sound that waver by 15 ms': {
    media: TS,
    repack: stamps((stamp, pid) =>
      pid === AUDIO_PID ? stamp + Math.floor(Math.sin(stamp) * 1350) : stamp,
    ),
  },
  'sound that drifts by a thousandth': {
    media: TS,
    repack: stamps((stamp, pid) => (pid === AUDIO_PID ? Math.floor(stamp * 1.001) : stamp)),
  },
  'start codes of three bytes and zeros behind units': {
    media: TS,
    repack: editStream(VIDEO_PID, (data) =>
      byteStream(
        unitsOf(data).map((unit) => Buffer.concat([unit, Buffer.alloc(17)])),
        Buffer.from([0, 0, 1]),
      ),
    ),
  },
  'parameter sets in the first segment alone': {
    media: TS,
    repack: (bytes, segment) =>
      segment === 0
        ? bytes
        : video((units) => units.filter((unit) => !isSet(unit)))(bytes, segment),
  },
  'ends of sequences, units of types to come, notes of 4 KiB and broken ones': {
    media: TS,
    repack: video((units, i) => [
      ...units.slice(0, 1),
      Buffer.concat([
        Buffer.from([6, 5, ...Array.from({ length: 16 }, () => 255), 16]),
        Buffer.alloc(4096, 65),
        Buffer.from([0x80]),
      ]),
      Buffer.from([6, 4, 255]),
      Buffer.from([30, 1, 2]),
      ...units.slice(1),
      ...(i % PICTURES === PICTURES - 1 ? [Buffer.from([10])] : []),
    ]),
  },
  'interlaced pictures of 4:4:4 in slices': {
    media: TS,
    more: '-s 96x64 -pix_fmt yuv444p -flags +ilme+ildct -slices 4 -x264-params tff=1',
  },
  'ADTS with checksums': {
    media: TS,
    repack: sound((header, frame) => {
      const length = header.length + 2 + frame.length
      header.writeUInt8(header.readUInt8(1) & 0xfe, 1)
      const fields = header.readUIntBE(3, 3)
      header.writeUIntBE((fields & ~(0x1fff << 5)) | (length << 5), 3, 3)
      return [header, Buffer.from([0x12, 0x34]), frame]
    }),
  },
  'ADTS of MPEG-2, with zeros between frames': {
    media: TS,
    repack: sound((header, frame) => {
      header.writeUInt8(header.readUInt8(1) | 8, 1)
      return [header, frame, Buffer.alloc(3)]
    }),
  },
  'sound of 24 kHz, as a decoder of SBR would double': { media: TS, more: '-ar 24000 -ac 2' },
  'two pictures and the sound before them': {
    media: TS,
    more: '-map 1:a -map 0:v -map 0:v',
  },
  'a backup of a variant that is gone': {
    media: APART,
    edit: master((text) => text.replace(/(#EXT-X-STREAM-INF.*\n)(.*\n)/, '$1gone.m3u8\n$1$2')),
  },
  'CODECS as they were written once': {
    media: APART,
    edit: codecs('CODECS="avc1.66.30, mp4a.40.34"'),
  },
  'CODECS in capitals': { media: APART, edit: codecs('CODECS="AVC1.42C00B,MP4A.40.2"') },
  'CODECS of other media': { media: APART, edit: codecs('CODECS="hvc1.1.6.L93.B0,ac-3"') },
  'tags of low latency, cues and events': {
    media: APART,
    edit: lists((text) =>
      text
        .replace('#EXT-X-MEDIA-S', '#EXT-X-PART-INF:PART-TARGET=0.3\n#EXT-X-MEDIA-S')
        .replaceAll(
          '#EXTINF',
          '#EXT-X-PART:DURATION=0.3,URI="p"\n#EXT-X-CUE-OUT:30\n#EXT-X-BITRATE:5\n#EXTINF',
        )
        .concat('#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q"\n'),
    ),
  },
  'numbers of milliseconds since 1970': {
    media: APART,
    change: (origin) => {
      origin.firstSequence = 1_767_225_600_000
    },
  },
  'durations of nothing': {
    media: APART,
    edit: lists((text) => text.replaceAll(/(EXTINF|TARGETDURATION):[\d.]+/g, '$1:0')),
  },
  'durations of ten seconds for each of one': {
    media: APART,
    edit: lists((text) => text.replaceAll(/(EXTINF|TARGETDURATION):[\d.]+/g, '$1:10')),
  },
  'an end in each list': {
    media: APART,
    edit: lists((text) => (text.includes('ENDLIST') ? text : `${text}#EXT-X-ENDLIST\n`)),
  },
  'a tag that never changes': {
    media: TS,
    change: (origin) => {
      origin.tamper = (path, response) => {
        if (path !== '/master.m3u8') return false
        response.setHeader('etag', '"1"')
        const isKnown = response.req.headers['if-none-match'] === '"1"'
        if (isKnown) response.writeHead(304).end()
        return isKnown
      }
    },
  },
  'one cache of two that has stopped': {
    media: TS,
    edit: (() => {
      let old = ''
      return (text, _, turn) => {
        if (turn === 6) old = text
        return turn > 6 && turn % 2 === 0 ? old : text
      }
    })(),
  },
  'the init segment before each segment': {
    media: APART,
    edit: lists((text) => {
      const map = /#EXT-X-MAP.*\n/.exec(text)?.[0] ?? ''
      return text.replaceAll('#EXTINF', `${map}#EXTINF`)
    }),
  },
  'redirects of lists and segments': {
    media: APART,
    change: (origin) => {
      origin.tamper = (path, response) => {
        if (path === '/master.m3u8' || path.startsWith('/token-')) return false
        response.writeHead(302, { location: `/token-1${path}`, 'content-length': 0 }).end()
        return true
      }
    },
  },
  'no numbers and no dates': {
    media: TS,
    options: { dates: 'none' },
    edit: lists((text) => text.replace(/#EXT-X-MEDIA-SEQUENCE.*\n/, '')),
  },
  'one segment at a time': { media: TS, options: { window: 1 } },
  'dates of sound that are a day off': {
    media: APART,
    edit: (text, path) =>
      path === '/list_1.m3u8' ? text.replaceAll(/(DATE-TIME:)\d{4}/g, '$12001') : text,
  },
  'lists that are cut, empty, of nothing, or said to end': {
    media: TS,
    edit: (text, _, turn) => {
      const empty = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n'
      const bad = [text.slice(0, -25), empty, '', `${text}#EXT-X-ENDLIST\n`]
      return turn % 3 === 2 ? (bad[((turn - 2) / 3) % 4] ?? '') : text
    },
  },
  'media data of 64-bit sizes': { media: TOGETHER, repack: large },
  'avc3, with hidden tracks and brands to come': {
    media: APART,
    change: (origin) => {
      origin.repack = (bytes, path) => (path.endsWith('.mp4') ? odd(bytes) : bytes)
    },
  },
  'hev1 with leading pictures': {
    media: TOGETHER,
    more: '-c:v libx265 -tag:v hev1 -x265-params log-level=error:keyint=25:min-keyint=25:scenecut=0:open-gop=0',
  },
  'composition before decoding': {
    media: TOGETHER,
    more: '-hls_segment_options movflags=+negative_cts_offsets',
  },
}

/** Sound that cannot be read: the picture comes through whole, and what is left out is said. */
const LEFT_OUT: Readonly<Record<string, Kind & { readonly what: RegExp }>> = {
  LATM: {
    media: TS,
    repack: editTable(PMT_PID, (map) =>
      Buffer.from(map.toString('latin1').replace('\x0f\xe1\x01', '\x11\xe1\x01'), 'latin1'),
    ),
    what: /^sound in AAC in LATM$/,
  },
  'in channels of its own arrangement': {
    media: TS,
    repack: sound((header, frame) => {
      header.writeUInt16BE(header.readUInt16BE(2) & 0xfe3f, 2)
      return [header, frame]
    }),
    what: /^audio with channels of its own arrangement$/,
  },
  'of garbage': {
    media: TS,
    repack: editStream(AUDIO_PID, (data) => Buffer.alloc(data.length, 0x55)),
    what: /^bytes that are no audio frame$/,
  },
  'in ALAC': { media: TOGETHER, more: '-c:a alac', what: /^sound \(alac box/ },
}

/** A segment of garbage for sound. */
const ONE_LOST: Kind = {
  media: TS,
  repack: (bytes, segment) =>
    segment === FIRST_LATE
      ? editStream(AUDIO_PID, (data) => Buffer.alloc(data.length, 0x55))(bytes)
      : bytes,
}

describe.skipIf(!hasTool('ffmpeg'))('an origin with', () => {
  const dirs = new Map<string, Promise<string>>()
  const running = new AsyncDisposableStack()
  const kinds = new Map<string, Kind>([
    ...Object.entries({ ...WHOLE, ...LEFT_OUT }),
    ['one lost', ONE_LOST],
  ])
  let sites: Sites

  /** All at once, behind one gateway. */
  beforeAll(async () => {
    const clock = new ManualClock()
    const urls = await Promise.all(
      [...kinds].map(async ([name, kind]) => [name, await originUrl(clock, kind)] as const),
    )
    sites = running.use(await startSites({ clock, urls: new Map(urls) }))
    await sites.pass(6_000)
  })
  afterAll(async () => {
    await running.disposeAsync()
    for (const dir of dirs.values()) rmSync(await dir, { recursive: true, force: true })
  })

  async function originUrl(clock: ManualClock, kind: Kind): Promise<string> {
    const { media, more = '', options = {}, repack, edit, change } = kind
    const key = `${media} ${more}`
    const dir = dirs.get(key) ?? makeHls(media, `${SHORT} ${more}`.trim().split(' '))
    dirs.set(key, dir)
    const origin = running.use(
      await ForeignOrigin.start({ clock, dir: await dir, window: 4, ...options }),
    )
    if (repack !== undefined) {
      origin.repack = (bytes, path) =>
        path.endsWith('.mp4') ? bytes : repack(bytes, Number(/(\d+)\.\w+$/.exec(path)?.[1]))
    }
    let turn = -1
    if (edit !== undefined) {
      origin.edit = (text, path) => {
        turn += 1
        return edit(text, path, turn)
      }
    }
    change?.(origin)
    return origin.url('master.m3u8')
  }

  test.each(Object.keys(WHOLE))('%s is shown whole', async (name) => {
    const verdict = await sites.verdict(name)
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(verdict.segments).toBeGreaterThan(5)
    expect(Object.keys(verdict.decoded)).toEqual(['video', 'audio'])
    for (const track of Object.values(verdict.decoded)) {
      expect(track).toMatchObject({ warnings: [], gaps: [], runs: 1 })
    }
    expect(verdict.decoded['video']?.frames).toBe(PICTURES * verdict.segments)
    expect(await sites.status(name)).toMatchObject({ state: 'live', reason: null })
  })

  test.each(Object.entries(LEFT_OUT))(
    'sound %s: the picture is shown, and that is said',
    async (name, { what }) => {
      const verdict = await sites.verdict(name)
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(Object.keys(verdict.decoded)).toEqual(['video'])
      expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [], runs: 1 })
      expect(verdict.decoded['video']?.frames).toBe(PICTURES * verdict.segments)
      const status = await sites.status(name)
      expect(status).toMatchObject({ state: 'live', reason: 'upstream_unsupported_media' })
      expect(sites.told(name)).toEqual([expect.stringMatching(what)])
    },
  )

  test('a segment of sound that is garbage: lost alone, without a break, and said', async () => {
    const verdict = await sites.verdict('one lost')
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [], runs: 1 })
    expect(sites.told('one lost')).toEqual(['bytes that are no audio frame'])
  })
})

function words(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]))
}

/** Writes the sizes of media data in 64 bits, which moves them by eight bytes. */
function large(bytes: Buffer): Buffer {
  const at = bytes.indexOf('mdat') - 4
  const head = Buffer.from(bytes.subarray(0, at))
  for (let run = head.indexOf('trun'); run !== -1; run = head.indexOf('trun', run + 1)) {
    head.writeInt32BE(head.readInt32BE(run + 12) + 8, run + 12)
  }
  const size = Buffer.alloc(16)
  size.writeUInt32BE(1)
  size.write('mdat', 4)
  size.writeBigUInt64BE(BigInt(bytes.readUInt32BE(at) + 8), 8)
  return Buffer.concat([head, size, bytes.subarray(at + 8)])
}

/** Says of an init segment what nobody needs otherwise. */
function odd(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes)
  const entry = changed.indexOf('avc1', changed.indexOf('stsd'))
  if (entry !== -1) changed.write('avc3', entry)
  changed.write('what', 8)
  changed.writeUInt32BE(0, changed.indexOf('tkhd') + 4)
  changed.writeUInt32BE(0xffffffff, changed.indexOf('mvhd') + 20)
  return Buffer.concat([changed, box('free', Buffer.alloc(3))])
}
