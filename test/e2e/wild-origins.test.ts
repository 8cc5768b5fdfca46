import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { parseMultivariant } from '../../src/formats/m3u8/parse-multivariant.ts'
import { type ForeignMedia, makeHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin, type ForeignOriginOptions } from '../support/foreign-origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { box } from '../support/mp4.ts'
import { emsg, free, others, uuid, words } from '../support/odd-packer.ts'
import { during } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { hasTool } from '../support/tools.ts'
import { type Site, startSite } from './support/site.ts'

type Change = (origin: ForeignOrigin) => void

/** What an origin does otherwise than the control beside it. */
interface Kind {
  readonly container: ForeignMedia
  /** Further options of ffmpeg, which makes its media. */
  readonly more?: string
  readonly dates?: ForeignOriginOptions['dates']
  readonly change?: Change
  /** Pictures of a segment; default: 50. */
  readonly pictures?: number
  /** Which sound passes; default: what browsers take. */
  readonly sound?: 'browsers' | 'any'
  /** How far sound and picture of a segment may begin apart at the origin, in milliseconds. */
  readonly apartMs?: number
}

const APART = 'fMP4, sound apart'
const TOGETHER = 'fMP4, picture and sound together'
const PICTURE = 'fMP4, picture alone'
const TS = 'MPEG-TS'

const edited =
  (edit: ForeignOrigin['edit']): Change =>
  (origin) => {
    origin.edit = edit
  }
const repacked =
  (repack: ForeignOrigin['repack']): Change =>
  (origin) => {
    origin.repack = repack
  }

/** What comes through whole. */
const WHOLE: Readonly<Record<string, Kind>> = {
  'nothing (control), fMP4': { container: APART },
  'nothing (control), MPEG-TS': { container: TS },
  'boxes that say nothing, anywhere': {
    container: APART,
    change: repacked((bytes, path) =>
      path.endsWith('.mp4')
        ? Buffer.concat([free, bytes, uuid])
        : Buffer.concat([...others, uuid, emsg, bytes, box('mfra', box('mfro', words(0, 16)))]),
    ),
  },
  'sound that begins before zero': { container: APART, change: repacked(primed) },
  'ticks of 100 ns': { container: PICTURE, more: '-video_track_timescale 10000000' },
  'open groups': { container: TS, more: '-x264-params open-gop=1' },
  'intra refresh': {
    container: TS,
    more: '-bf 0 -x264-params intra-refresh=1 -hls_flags split_by_time',
  },
  'segments cut by time': { container: TS, more: '-g 75 -hls_flags split_by_time' },
  'one picture a second': {
    container: TS,
    more: '-r 1 -g 2 -keyint_min 2',
    pictures: 2,
    apartMs: 1500,
  },
  'a variant with sound beside a playlist of sound': {
    container: APART,
    more: '-map 1:a -var_stream_map v:0,a:0,agroup:sound~a:1,agroup:sound,default:yes',
  },
  'CRLF and a byte order mark, CR alone, no target duration': {
    container: APART,
    change: edited((text, path) => {
      const lineBreak = path === '/list_0.m3u8' ? '\r' : '\r\n'
      const lines = text.replace(/#EXT-X-TARGETDURATION.*\n/, '')
      return `\uFEFF${lines.replaceAll('\n', lineBreak)}`
    }),
  },
  'dates without a zone': {
    container: APART,
    change: edited((text) => text.replaceAll(/(DATE-TIME:.*)Z/g, '$1')),
  },
  'loose writing': {
    container: APART,
    change: edited((text) =>
      text
        .replace('#EXTM3U', '#EXTM3U url-tvg="x"')
        .replaceAll(/#EXTINF:(\S+),/g, '#EXTINF: $100000000000 , title, more')
        .replaceAll('#EXT-X-MEDIA-SEQUENCE:', '#EXT-X-WHAT:1\n#EXT-X-MEDIA-SEQUENCE: ')
        .replace(/RESOLUTION=(\d+)x/, 'RESOLUTION=$1X')
        .replace(/CODECS="([^"]*)"/, 'CODECS="$1,wvtt", WHAT=ever ,'),
    ),
  },
  'variables, imported': {
    container: APART,
    change: edited((text, path) => {
      const define = path === '/master.m3u8' ? 'NAME="p",VALUE="list_"' : 'IMPORT="p"'
      return text
        .replaceAll(/^list_/gm, '{$p}')
        .replaceAll('"list_', '"{$p}')
        .replace('#EXTM3U', `#EXTM3U\n#EXT-X-DEFINE:${define}`)
    }),
  },
  'a token in each path, another at each reload': {
    container: TS,
    dates: 'none',
    change: (origin) => {
      let reloads = 0
      origin.edit = (text) => {
        reloads += 1
        return text.replaceAll(/^(?=master\d)/gm, `token-${reloads}/`)
      }
    },
  },
  'a list of 60,480 segments and more': {
    container: PICTURE,
    dates: 'none',
    change: edited(endless),
  },
}

/**
 * Sound that players take in MP4, of which `browsers` do too: what CODECS call it, and how many samples a frame has.
 */
const PASSED = [
  { encoder: 'libopus', container: TOGETHER, sound: 'browsers', codec: 'Opus', frame: 960 },
  { encoder: 'libopus', container: APART, sound: 'browsers', codec: 'Opus', frame: 960 },
  { encoder: 'flac', container: APART, sound: 'browsers', codec: 'fLaC', frame: 4608 },
  { encoder: 'ac3', container: APART, sound: 'any', codec: 'ac-3', frame: 1536 },
  { encoder: 'eac3', container: TOGETHER, sound: 'any', codec: 'ec-3', frame: 1536 },
  { encoder: 'libmp3lame', container: TOGETHER, sound: 'any', codec: 'mp4a.6B', frame: 1152 },
] as const

/** Sound that some of them do not take. */
const LEFT_OUT = [
  { encoder: 'ac3', container: APART, codec: 'ac-3' },
  { encoder: 'libmp3lame', container: TOGETHER, codec: 'mp4a.6B' },
] as const

/** Sound that is listed and cannot be had. */
const MISSING: Readonly<Record<string, Change>> = {
  'whose list is 404': (origin) => refuse(origin, /list_1\.m3u8/, 404),
  'whose list is 503': (origin) => refuse(origin, /list_1\.m3u8/, 503),
  'whose segments are 404': (origin) => refuse(origin, /list_1\d+\.m4s/, 404),
  'whose segments are not answered': (origin) => {
    origin.tamper = (path) => /list_1\d+\.m4s/.test(path)
  },
  'whose list stands still': (origin) => {
    let first = ''
    origin.edit = (text, path) => {
      if (path !== '/list_1.m3u8') return text
      first ||= text
      return first
    }
  },
  'of garbage': repacked((bytes, path) =>
    /list_1\d+\.m4s/.test(path) ? Buffer.from(bytes).fill(7, 100) : bytes,
  ),
}

/** What befalls one segment of sound; of the picture nothing is missing. */
const ONE_MISSING: Readonly<Record<string, Change>> = {
  404: (origin) => refuse(origin, /list_17\.m4s/, 404),
  'listed as a gap': edited((text, path) =>
    path === '/list_1.m3u8' ? text.replace(/(#EXTINF.*\n.*17\.m4s)/, '#EXT-X-GAP\n$1') : text,
  ),
}

describe.skipIf(!hasTool('ffmpeg'))('an origin with', () => {
  const dirs = new Map<string, Promise<string>>()
  afterAll(async () => {
    for (const dir of dirs.values()) rmSync(await dir, { recursive: true, force: true })
  })

  function dirOf({ container, more = '' }: Kind): Promise<string> {
    const key = `${container} ${more}`
    const options = `-t 26 ${more}`.trim().split(' ')
    const dir =
      dirs.get(key) ??
      makeHls(
        container,
        options.map((one) => one.replaceAll('~', ' ')),
      )
    dirs.set(key, dir)
    return dir
  }

  /** What is shown of it after a while. */
  async function follow(kind: Kind, look: (site: Site) => Promise<void>): Promise<void> {
    const clock = new ManualClock()
    const dir = await dirOf(kind)
    await using origin = await ForeignOrigin.start({ clock, dir, dates: kind.dates ?? 'each' })
    kind.change?.(origin)
    const tolerances = kind.apartMs === undefined ? {} : { renditionsMs: kind.apartMs }
    const defaults = { hls: { sound: kind.sound } }
    const url = origin.url('master.m3u8')
    await using site = await startSite({ clock, url, defaults, tolerances })
    await site.pass(12_000)
    await look(site)
  }

  test.each(Object.entries(WHOLE))('%s is shown whole', async (_, kind) => {
    await follow(kind, async (site) => {
      const verdict = await site.verdict()
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(verdict.segments).toBeGreaterThan(8)
      const hasSound = kind.container !== PICTURE
      expect(Object.keys(verdict.decoded)).toEqual(hasSound ? ['video', 'audio'] : ['video'])
      for (const track of Object.values(verdict.decoded)) {
        expect(track).toMatchObject({ warnings: [], gaps: [], runs: 1 })
      }
      const { pictures = 50 } = kind
      // A decoder that begins with an open group leaves out what comes before its first picture.
      const missing = verdict.segments * pictures - (verdict.decoded['video']?.frames ?? 0)
      expect(missing).toBeGreaterThanOrEqual(0)
      expect(missing).toBeLessThanOrEqual(2)
      expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason: null })
    })
  })

  async function expectPictureAlone(site: Site, lack: RegExp, reason: RegExp): Promise<void> {
    const verdict = await site.verdict()
    expect(verdict).toMatchObject({ faults: [], missed: 0 })
    expect(verdict.segments).toBeGreaterThan(6)
    const { video } = verdict.decoded
    expect(video).toMatchObject({ warnings: [], gaps: [] })
    expect(video?.frames).toBe(50 * verdict.segments)
    const status = await site.admin.stream('lobby')
    expect(status.state).toBe('live')
    expect(status.reason).toMatch(reason)
    const told = site.lines.filter(({ event }) => event === 'fragments lack something')
    expect(told).toHaveLength(1)
    expect(String(told[0]?.fields['what'])).toMatch(lack)
    expect(await site.admin.metric('kvs_gateway_incomplete_fragments_total')).toBeGreaterThan(3)
  }

  test.each(PASSED)(
    'G2: $encoder in $container: passes in step with the picture, and who cannot take it has the picture',
    async ({ encoder, container, sound, codec, frame }) => {
      const kind = { container, sound, more: `-c:a ${encoder} -ac 2 -strict -2` }
      await follow(kind, async (site) => {
        const verdict = await site.verdict()
        expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
        expect(verdict.segments).toBeGreaterThan(6)
        const { video, audio } = verdict.decoded
        expect(video).toMatchObject({ warnings: [], gaps: [], runs: 1 })
        expect(video?.frames).toBe(50 * verdict.segments)
        expect(audio).toMatchObject({ warnings: [], gaps: [], runs: 1 })
        const framesS = ((audio?.frames ?? 0) * frame) / 48_000
        // Segments of sound and picture are not cut at the same time.
        expect(Math.abs(framesS - 2 * verdict.segments)).toBeLessThan(0.15)
        const url = `${site.gateway.publicUrl}/hls/lobby/master.m3u8`
        const { body } = await during(site.clock, ask(url))
        const { audio: sounds, variants } = parseMultivariant(String(body))
        expect(sounds).toMatchObject([{ channels: '2', uri: 'audio.m3u8' }])
        expect(variants).toMatchObject([
          { uri: 'video.m3u8', codecs: [expect.any(String), codec], audioGroup: 'audio' },
          { uri: 'video.m3u8', codecs: [expect.any(String)], audioGroup: undefined },
        ])
        const status = await site.admin.stream('lobby')
        expect(status).toMatchObject({ state: 'live', reason: null })
      })
    },
  )

  test.each(LEFT_OUT)(
    '$encoder in $container: the picture is shown, and what is left out is said',
    async ({ encoder, container, codec }) => {
      await follow({ container, more: `-c:a ${encoder} -ac 2 -strict -2` }, async (site) => {
        const why = new RegExp(`^sound \\(codec ${codec}: not all browsers take it, .*\\)$`)
        await expectPictureAlone(site, why, /^upstream_unsupported_media$/)
        expect(site.report().faults).toEqual([])
      })
    },
  )

  test.each(Object.entries(ONE_MISSING))(
    'a segment of sound that is %s: lost alone, without a break, and said',
    async (_, change) => {
      await follow({ container: APART, change }, async (site) => {
        const verdict = await site.verdict()
        expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
        expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [], runs: 1 })
        expect(verdict.decoded['video']?.frames).toBe(50 * verdict.segments)
        const list = await during(site.clock, ask(`${site.gateway.publicUrl}/hls/lobby/audio.m3u8`))
        expect(String(list.body).match(/#EXT-X-GAP/g)).toHaveLength(1)
        const status = await site.admin.stream('lobby')
        expect(status).toMatchObject({ state: 'live', reason: 'upstream_unavailable' })
      })
    },
  )

  test('segments that it lists as missing: status, log and metric say so', async () => {
    const change = edited((text) => text.replaceAll(/(#EXTINF.*\n.*7\.m4s)/g, '#EXT-X-GAP\n$1'))
    await follow({ container: APART, change }, async (site) => {
      expect(await site.verdict()).toMatchObject({ faults: [], discontinuities: 1 })
      const status = await site.admin.stream('lobby')
      expect(status).toMatchObject({ state: 'live', reason: 'upstream_unavailable' })
      expect(site.lines.map(({ event }) => event)).toContain('fragments missing upstream')
      expect(await site.admin.metric('kvs_gateway_lost_fragments_total')).toBe(1)
    })
  })

  test('sound that CODECS announce and no segment has: status, log and metric say so', async () => {
    const change = edited((text, path) =>
      path === '/master.m3u8'
        ? text.replace(/#EXT-X-MEDIA:.*\n/, '').replace(',AUDIO="group_sound"', '')
        : text,
    )
    await follow({ container: APART, change }, async (site) => {
      const verdict = await site.verdict()
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(Object.keys(verdict.decoded)).toEqual(['video'])
      const status = await site.admin.stream('lobby')
      expect(status).toMatchObject({ state: 'live', reason: 'no_media' })
      const told = site.lines.filter(({ event }) => event === 'fragments lack something')
      expect(told.map(({ fields }) => fields['what'])).toEqual([
        'sound that is announced and does not come',
      ])
      expect(await site.admin.metric('kvs_gateway_incomplete_fragments_total')).toBeGreaterThan(3)
    })
  })

  test.each(Object.entries(MISSING))(
    'sound %s: the picture is shown, and that is said',
    async (_, change) => {
      await follow({ container: APART, change }, (site) =>
        expectPictureAlone(site, /^sound$/, /^upstream_(unavailable|timeout)$/),
      )
    },
  )
})

function refuse(origin: ForeignOrigin, which: RegExp, status: number): void {
  origin.tamper = (path, response) => {
    if (!which.test(path)) return false
    response.writeHead(status, { 'content-length': 0 }).end()
    return true
  }
}

/** A decoder's delay before the first sample: two frames of AAC and a bit. */
const PRIMING = 2112n

function primed(bytes: Buffer, path: string): Buffer {
  if (!/list_1\d+\.m4s/.test(path)) return bytes
  const at = bytes.indexOf('tfdt') + 8
  const shifted = Buffer.from(bytes)
  shifted.writeBigInt64BE(bytes.readBigInt64BE(at) - PRIMING, at)
  return shifted
}

/** Segments of 2 s. */
const DAY_AND_HALF = 60_480

/** Puts as many segments in front, as an origin lists them that never removes any. */
function endless(text: string): string {
  const gone = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1])
  const before = Array.from(
    { length: DAY_AND_HALF + gone },
    (_, i) => `#EXTINF:2.0,\nold${i}.m4s\n`,
  )
  return text
    .replace(/MEDIA-SEQUENCE:\d+/, 'MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT')
    .replace(/(#EXT-X-MAP.*\n)/, `$1${before.join('')}`)
}
