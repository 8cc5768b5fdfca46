import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { readBoxes } from './boxes.ts'
import { ContinuityMonitor, type MonitorOptions } from './continuity-monitor.ts'
import { FAULTS, type FaultKind } from './fault.ts'
import { ScriptedOrigin } from './scripted-origin.ts'

let origin: ScriptedOrigin
let stop: AbortController

beforeEach(async () => {
  origin = await ScriptedOrigin.start()
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort()
  await origin.close()
})

interface Watched {
  readonly monitor: ContinuityMonitor
  readonly watch: (fragments: number) => Promise<void>
}

function watched(tolerances: MonitorOptions['tolerances'] = {}): Watched {
  const clock = new ManualClock()
  const monitor = new ContinuityMonitor(origin.url, {
    signal: stop.signal,
    clock,
    spotEvery: 2,
    tolerances,
  })
  const watch = async (fragments: number): Promise<void> => {
    for (let i = 0; i < fragments; i += 1) {
      await monitor.poll()
      origin.advance()
      clock.advance(2_000)
    }
    await monitor.poll()
  }
  return { monitor, watch }
}

test('a true origin has no fault, over a gap and a change of codec private data', async () => {
  origin.gaps.add(110)
  origin.tampering.profile = (msn) => (msn < 114 ? [0x64, 0, 0x1f] : [0x4d, 0x40, 0x1f])
  // The multivariant playlist follows its newest segment.
  origin.tampering.multivariant = (text) =>
    text.replace('avc1.64001f', origin.newest < 114 ? 'avc1.64001f' : 'avc1.4d401f')
  const { monitor, watch } = watched()

  await watch(20)

  const report = monitor.report()
  expect(report.faults).toEqual([])
  expect(report).toMatchObject({ total: 0, segments: 26, discontinuities: 2, missed: 0 })
  const runs = monitor.runs('video').map((run) => readBoxes(run).map(({ type }) => type))
  expect(runs.map((types) => types.filter((type) => type === 'ftyp').length)).toEqual([1, 1, 1])
  expect(runs.flat().filter((type) => type === 'moof')).toHaveLength(26)
})

test('a break that the origin of an origin lists is no fault, though nothing is missing', async () => {
  origin.tampering.playlist = withBreakAtNew
  const { monitor, watch } = watched({ seamlessMs: 0 })

  await watch(4)

  expect(monitor.report().counts['needless-discontinuity']).toBeUndefined()
})

test('audio that is switched off and on again is no fault', async () => {
  origin.silence = [108, 118]
  const { monitor, watch } = watched()

  await watch(24)

  expect(monitor.report().faults).toEqual([])
  expect(monitor.report()).toMatchObject({ discontinuities: 2, missed: 0 })
})

test('what the monitor did not see is counted, not blamed', async () => {
  const { monitor, watch } = watched()
  await watch(2)
  origin.advance(20)
  await watch(2)

  expect(monitor.report()).toMatchObject({ total: 0, missed: 1 })
})

test('the joined bytes hold one init segment, and the segments in the order of the list', async () => {
  // The first answers come last.
  let asked = 0
  origin.tampering.delayMs = (path) => {
    if (path.endsWith('m4s')) asked += 1
    return path.endsWith('m4s') ? 60 - 5 * asked : 0
  }
  const { monitor, watch } = watched()
  await watch(3)

  const boxes = readBoxes(monitor.joined('video'))
  expect(boxes.filter(({ type }) => type === 'moov')).toHaveLength(1)
  const fills = boxes.filter(({ type }) => type === 'mdat').map(({ body }) => body[0])
  expect(fills).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108])
})

/** One lie, and what it must be called. `also` is what cannot but follow from it. */
interface Lie {
  readonly kind: FaultKind
  readonly how: string
  readonly also?: readonly FaultKind[]
  readonly tell: (origin: ScriptedOrigin) => void
}

const NEW = 108 // first listed after the second advance

function withBreakAtNew(text: string): string {
  const date = new RegExp(
    `#EXT-X-PROGRAM-DATE-TIME(?=[^\\n]*\\n#EXTINF[^\\n]*\\n\\w+/${NEW}\\.m4s)`,
  )
  return text.replace(date, '#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME')
}

const headerOf =
  (name: string, value: string | undefined, path: RegExp): Lie['tell'] =>
  ({ tampering }) => {
    tampering.answer = (answer, at) => {
      if (!path.test(at) || answer.status !== 200) return answer
      const { [name]: _dropped, ...rest } = answer.headers
      return { ...answer, headers: value === undefined ? rest : { ...rest, [name]: value } }
    }
  }

const inPlaylist =
  (from: string | RegExp, to: string): Lie['tell'] =>
  ({ tampering }) => {
    tampering.playlist = (text) => text.replaceAll(from, to)
  }

const lies: readonly Lie[] = [
  {
    kind: 'playlist-syntax',
    how: 'an unknown tag',
    tell: inPlaylist('#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-INDEPENDANT-SEGMENTS'),
  },
  {
    kind: 'playlist-syntax',
    how: 'an HTML page',
    tell: ({ tampering }) => {
      tampering.playlist = () => '<html></html>'
    },
  },
  {
    kind: 'playlist-syntax',
    how: 'a URI that is not relative',
    tell: inPlaylist(/^video\/108/gm, '/hls/lobby/video/108'),
  },
  {
    kind: 'playlist-regressed',
    how: 'the newest segment is taken back',
    also: ['window-too-short'],
    tell: (origin) => {
      const newest = origin.newest
      origin.tampering.playlist = (text) =>
        origin.newest > newest + 1 ? text.split('\n').slice(0, -7).concat('').join('\n') : text
      origin.advance = (): void => {
        ScriptedOrigin.prototype.advance.call(origin, 1)
        if (origin.newest > newest + 1) origin.advance = (): void => {}
      }
    },
  },
  {
    kind: 'media-sequence-decreased',
    how: 'the counter starts again',
    also: [
      'playlist-regressed',
      'renditions-apart',
      'uri-reused',
      'window-too-short',
      'msn-changed',
    ],
    tell: ({ tampering }) => {
      tampering.playlist = (text) => text.replace(/(MEDIA-SEQUENCE):\d+/, '$1:3')
    },
  },
  {
    kind: 'discontinuity-sequence-decreased',
    how: 'the counter starts again',
    also: ['discontinuity-arithmetic'],
    tell: inPlaylist('DISCONTINUITY-SEQUENCE:7', 'DISCONTINUITY-SEQUENCE:0'),
  },
  {
    kind: 'msn-changed',
    how: 'another EXTINF under one MSN',
    tell: (origin) => {
      let asked = 0
      origin.tampering.playlist = (text) => {
        asked += 1
        return asked < 3 ? text : text.replaceAll('#EXTINF:2.00000', '#EXTINF:2.00001')
      }
    },
  },
  {
    kind: 'msn-changed',
    how: 'another PROGRAM-DATE-TIME under one MSN',
    tell: (origin) => {
      let asked = 0
      origin.tampering.playlist = (text) => {
        asked += 1
        return asked < 3 ? text : text.replaceAll(/\.(\d\d)0Z/g, '.$13Z')
      }
    },
  },
  {
    kind: 'msn-changed',
    how: 'another URI under one MSN',
    tell: inPlaylist(/^(video\/10[0-7])\.m4s/gm, './$1.m4s'),
  },
  {
    kind: 'uri-reused',
    how: 'one segment listed twice',
    also: ['timeline-jump', 'shift-unequal', 'pdt-mismatch', 'bytes-changed', 'renditions-apart'],
    tell: inPlaylist(/^video\/109/gm, 'video/108'),
  },
  {
    kind: 'bytes-changed',
    how: 'a segment with other bytes at the second look',
    tell: ({ tampering }) => {
      let asked = 0
      tampering.segment = (bytes) => {
        asked += 1
        const other = Buffer.from(bytes)
        other[other.length - 1] = asked % 256
        return other
      }
    },
    also: ['range-differs', 'not-modified'],
  },
  {
    kind: 'timeline-jump',
    how: 'both tracks 5 ms late from one segment on',
    tell: ({ tampering }) => {
      tampering.shiftMs = (_rendition, msn) => (msn >= NEW ? 5 : 0)
    },
  },
  {
    kind: 'shift-unequal',
    how: 'only audio is 5 ms late',
    also: ['timeline-jump'],
    tell: ({ tampering }) => {
      tampering.shiftMs = (rendition, msn) => (rendition === 'audio' && msn >= NEW ? 5 : 0)
    },
  },
  {
    kind: 'needless-discontinuity',
    how: 'a roll-over that shows',
    also: ['discontinuity-arithmetic'],
    tell: ({ tampering }) => {
      tampering.playlist = withBreakAtNew
    },
  },
  {
    kind: 'map-without-change',
    how: 'a new EXT-X-MAP with the same bytes',
    also: ['msn-changed'],
    tell: (origin) => {
      origin.tampering.playlist = (text, rendition) => {
        const map = `#EXT-X-MAP:URI="${rendition}/init-${rendition === 'video' ? '64001f' : '000000'}00.mp4"\n`
        return text.replace(
          /#EXT-X-PROGRAM-DATE-TIME(?=[^\n]*\n#EXTINF[^\n]*\n\w+\/108\.m4s)/,
          `${map}#EXT-X-PROGRAM-DATE-TIME`,
        )
      }
    },
  },
  {
    kind: 'discontinuity-arithmetic',
    how: 'a removed discontinuity is not counted',
    tell: (origin) => {
      origin.gaps.add(NEW)
      origin.tampering.playlist = (text) =>
        text.replace(/DISCONTINUITY-SEQUENCE:\d+/, 'DISCONTINUITY-SEQUENCE:7')
    },
  },
  {
    kind: 'hidden-gap',
    how: 'ten seconds are missing without a discontinuity',
    also: ['timeline-jump'],
    tell: (origin) => {
      origin.gaps.add(NEW)
      origin.tampering.playlist = (text) =>
        text.replace('#EXT-X-DISCONTINUITY\n', '').replace(/(Y-SEQUENCE):\d+/, '$1:7')
    },
  },
  {
    kind: 'init-without-discontinuity',
    how: 'new codec private data without a discontinuity',
    also: ['codecs-mismatch', 'discontinuity-arithmetic'],
    tell: (origin) => {
      origin.tampering.profile = (msn) => (msn < NEW ? [0x64, 0, 0x1f] : [0x4d, 0x40, 0x1f])
      origin.tampering.playlist = (text) => text.replace('#EXT-X-DISCONTINUITY\n', '')
    },
  },
  {
    kind: 'extinf-mismatch',
    how: 'EXTINF is 2 ms too long',
    also: ['msn-changed'],
    tell: inPlaylist('#EXTINF:2.00000', '#EXTINF:2.00200'),
  },
  {
    kind: 'pdt-mismatch',
    how: 'PDT is 100 ms ahead of tfdt',
    tell: ({ tampering }) => {
      tampering.shiftMs = (_rendition, msn) => (msn >= NEW ? -100 : 0)
    },
    also: ['timeline-jump'],
  },
  {
    kind: 'segment-malformed',
    how: 'a truncated segment',
    tell: ({ tampering }) => {
      tampering.segment = (bytes) => bytes.subarray(0, -5)
    },
    also: ['bytes-changed'],
  },
  {
    kind: 'codecs-mismatch',
    how: 'CODECS names another level',
    tell: ({ tampering }) => {
      tampering.multivariant = (text) => text.replace('avc1.64001f', 'avc1.640028')
    },
  },
  {
    kind: 'target-duration-changed',
    how: 'EXT-X-TARGETDURATION grows',
    also: ['window-too-short'],
    tell: inPlaylist('TARGETDURATION:3', 'TARGETDURATION:5'),
  },
  {
    kind: 'target-duration-exceeded',
    how: 'EXTINF rounds above EXT-X-TARGETDURATION',
    also: ['target-duration-changed', 'http-header'],
    tell: inPlaylist('TARGETDURATION:3', 'TARGETDURATION:1'),
  },
  {
    kind: 'window-too-short',
    how: 'less than three target durations stay',
    also: ['target-duration-changed'],
    tell: inPlaylist('TARGETDURATION:3', 'TARGETDURATION:6'),
  },
  {
    kind: 'not-fetchable',
    how: 'listed before it is there',
    tell: (origin) => {
      origin.tampering.segment = (bytes, _rendition, msn) =>
        msn === origin.newest ? undefined : bytes
    },
  },
  {
    kind: 'gone-too-soon',
    how: 'deleted as soon as it leaves the list',
    tell: (origin) => {
      origin.tampering.segment = (bytes, _rendition, msn) =>
        msn <= origin.newest - 6 ? undefined : bytes
    },
  },
  {
    kind: 'renditions-apart',
    how: 'audio numbers its fragments one higher',
    also: [
      'playlist-regressed',
      'timeline-jump',
      'msn-changed',
      'uri-reused',
      'shift-unequal',
      'hidden-gap',
    ],
    tell: ({ tampering }) => {
      tampering.playlist = (text, rendition) =>
        text.replace(/(MEDIA-SEQUENCE):(\d+)/, (_all, tag: string, msn: string) =>
          rendition === 'audio' ? `${tag}:${Number(msn) + 1}` : `${tag}:${msn}`,
        )
    },
  },
  {
    kind: 'http-status',
    how: 'a playlist answers 503',
    tell: ({ tampering }) => {
      tampering.answer = (answer, path) =>
        path.endsWith('video.m3u8') ? { ...answer, status: 503 } : answer
    },
  },
  {
    kind: 'http-failed',
    how: 'a playlist breaks off',
    tell: ({ tampering }) => {
      tampering.answer = (answer, path, request) => {
        if (path.endsWith('video.m3u8')) request.socket.destroy()
        return answer
      }
    },
  },
  ...['content-type', 'cache-control', 'etag', 'vary', 'cache-status'].map(
    (name): Lie => ({
      kind: 'http-header',
      how: `a playlist without ${name}`,
      tell: headerOf(name, undefined, /video\.m3u8/),
      also: ['gzip-differs'],
    }),
  ),
  {
    kind: 'http-header',
    how: 'a playlist that lives too long',
    tell: headerOf('cache-control', 'public, max-age=2', /video\.m3u8/),
  },
  {
    kind: 'http-header',
    how: 'a segment that is not immutable',
    tell: headerOf('cache-control', 'public, max-age=60', /m4s/),
  },
  {
    kind: 'http-header',
    how: 'audio as video/mp4',
    tell: headerOf('content-type', 'video/mp4', /audio\/\d+\.m4s/),
  },
  {
    kind: 'http-header',
    how: 'a weak ETag on a segment',
    tell: headerOf('etag', 'W/"1"', /m4s/),
    also: ['not-modified'],
  },
  {
    kind: 'http-header',
    how: 'a cookie on a media path',
    tell: headerOf('set-cookie', 'viewer=1', /init/),
    also: [],
  },
  {
    kind: 'not-modified',
    how: 'If-None-Match is ignored',
    tell: ({ tampering }) => {
      tampering.answer = (answer) => (answer.status === 304 ? { ...answer, status: 200 } : answer)
    },
  },
  {
    kind: 'gzip-differs',
    how: 'one ETag for both encodings',
    tell: headerOf('etag', '"same"', /video\.m3u8/),
    also: ['not-modified'],
  },
  {
    kind: 'range-differs',
    how: 'Range is ignored',
    tell: ({ tampering }) => {
      tampering.answer = (answer) => (answer.status === 206 ? { ...answer, status: 200 } : answer)
    },
  },
]

describe('the monitor can fail', () => {
  test('each kind of fault has its lie', () => {
    const told = new Set<string>(lies.map(({ kind }) => kind))
    expect(Object.keys(FAULTS).filter((kind) => !told.has(kind))).toEqual([])
  })

  test.each(lies)('$kind: $how', async ({ kind, also = [], tell }) => {
    const { monitor, watch } = watched()
    // Lies about init segments have to be told before the first look.
    if (kind !== 'http-header') await watch(1)
    expect(monitor.report().counts).toEqual({})
    tell(origin)
    await watch(8)

    const kinds = Object.keys(monitor.report().counts)
    expect(kinds).toContain(kind)
    expect(kinds.filter((other) => other !== kind && !also.some((one) => one === other))).toEqual(
      [],
    )
  })
})
