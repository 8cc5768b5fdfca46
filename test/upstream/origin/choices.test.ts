import { describe, expect, test } from 'vitest'
import { type MediaPlaylist, parseMedia } from '../../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../../src/formats/m3u8/parse-multivariant.ts'
import { OriginRun } from '../../../src/upstream/origin/origin-run.ts'
import { partnerOffset, undatedOffset } from '../../../src/upstream/origin/partner-numbers.ts'
import { isReadable, pickPlaylists } from '../../../src/upstream/origin/pick-playlists.ts'
import { renumbered } from '../../../src/upstream/origin/renumbered.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('of several variants', () => {
  const AVC = 'CODECS="avc1.4d400c,mp4a.40.2"'
  const pick = (...lines: readonly string[]): readonly (readonly string[])[] => {
    const master = parseMultivariant(`${['#EXTM3U', ...lines].join('\n')}\n`)
    return [...pickPlaylists(master).uris]
  }
  const variant = (attributes: string, uri: string): string =>
    `#EXT-X-STREAM-INF:${attributes}\n${uri}`

  test('the widest that can be played is followed', () => {
    const low = variant(`BANDWIDTH=1,${AVC}`, 'low')
    const high = variant(`BANDWIDTH=2,${AVC}`, 'high')
    const vp9 = variant('BANDWIDTH=9,CODECS="vp09.00.10.08"', 'vp9')
    expect(pick(low, high, vp9)).toEqual([['muxed', 'high']])
  })

  test('a redundant one takes the place of one that cannot be had; one of another width does not', () => {
    const master = parseMultivariant(
      `#EXTM3U\n${variant(`BANDWIDTH=2,${AVC}`, 'a')}\n${variant(`BANDWIDTH=2,${AVC}`, 'b')}\n${variant(`BANDWIDTH=1,${AVC}`, 'c')}\n`,
    )
    const left = (...failed: string[]): unknown =>
      pickPlaylists(master, new Set(failed)).uris.get('muxed')
    expect([left(), left('a'), left('a', 'b')]).toEqual(['a', 'b', 'a'])
  })

  test('CODECS in capitals are those that they name', () => {
    const high = variant('BANDWIDTH=9,CODECS="AV01.0.04M.08"', 'av1')
    const low = variant('BANDWIDTH=1,CODECS="AVC1.4D400C,MP4A.40.2"', 'avc')
    expect(pick(high, low)).toEqual([['muxed', 'avc']])
  })

  test('one without CODECS may be as good as any', () => {
    expect(pick(variant('BANDWIDTH=1', 'low'), variant('BANDWIDTH=2', 'high'))).toEqual([
      ['muxed', 'high'],
    ])
  })

  test('a picture goes before sound alone, however wide', () => {
    const sound = variant('BANDWIDTH=9,CODECS="mp4a.40.2"', 'sound')
    expect(pick(sound, variant(`BANDWIDTH=1,${AVC}`, 'low'))).toEqual([['muxed', 'low']])
  })

  test('if none can be played, the widest goes as it is', () => {
    const [a, b] = [1, 2].map((n) => variant(`BANDWIDTH=${n},CODECS="av01.0.04M.08"`, `v${n}`))
    expect(pick(a ?? '', b ?? '')).toEqual([['muxed', 'v2']])
  })

  test('the picture of one that is listed once more without its sound is no variant of its own', () => {
    const group = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="sound"'
    const loud = variant('BANDWIDTH=1,CODECS="avc1.4d400c,Opus",AUDIO="a"', 'v')
    const silent = variant('BANDWIDTH=1,CODECS="avc1.4d400c"', 'v')
    const apart = [
      ['video', 'v'],
      ['audio', 'sound'],
    ]
    expect(pick(group, loud, silent)).toEqual(apart)
    expect(pick(group, silent, loud)).toEqual(apart)
    // With sound in it, it is.
    expect(pick(group, loud, variant(`BANDWIDTH=1,${AVC}`, 'v'))).toEqual([['muxed', 'v']])
  })

  test('one whose sound alone cannot be read goes before one whose picture cannot', () => {
    const av1 = variant('BANDWIDTH=9,CODECS="av01.0.04M.08,mp4a.40.2"', 'av1')
    const ac3 = variant('BANDWIDTH=2,CODECS="avc1.4d400c,ac-3"', 'ac3')
    expect(pick(av1, ac3)).toEqual([['muxed', 'ac3']])
    expect(pick(av1, ac3, variant(`BANDWIDTH=1,${AVC}`, 'low'))).toEqual([['muxed', 'low']])
    expect(pick(ac3, variant('BANDWIDTH=1,CODECS="mp4a.40.2"', 'sound'))).toEqual([
      ['muxed', 'ac3'],
    ])
  })

  test('AAC goes before sound that not all players take, and that before what is left out', () => {
    const [ac3, opus, aac] = ['ac-3', 'Opus', 'mp4a.40.2'].map((codec, i) =>
      variant(`BANDWIDTH=${9 - i},CODECS="avc1.4d400c,${codec}"`, codec),
    )
    expect(pick(ac3 ?? '', opus ?? '')).toEqual([['muxed', 'Opus']])
    expect(pick(ac3 ?? '', opus ?? '', aac ?? '')).toEqual([['muxed', 'mp4a.40.2']])
  })

  test.each([
    ['avc1.4d400c,ac-3', true],
    ['mp4a.40.2', true],
    ['ac-3', false],
    ['opus', true],
    ['av01.0.04M.08,mp4a.40.2', false],
  ])('%s is read: %s', (codecs, isRead) => {
    expect(isReadable(codecs.split(','))).toBe(isRead)
  })

  test('text beside them makes a variant no less playable, and is not repeated', () => {
    const master = (codecs: string) =>
      pickPlaylists(
        parseMultivariant(`#EXTM3U\n${variant(`BANDWIDTH=1,CODECS="${codecs}"`, 'v')}\n`),
      )
    const control = master('avc1.4d400c,mp4a.40.2')
    for (const text of ['wvtt', 'stpp.ttml.im1t', 'stpp.TTML.im1t', 'tx3g', 'c608']) {
      expect(master(`avc1.4d400c,mp4a.40.2,${text}`)).toEqual(control)
    }
  })

  test('sound apart is the default of the group, or its first', () => {
    const group = (name: string, isDefault: string): string =>
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="${name}",DEFAULT=${isDefault},URI="${name}"`
    const one = variant(`BANDWIDTH=1,${AVC},AUDIO="a"`, 'v')
    const apart = (uri: string): unknown => [
      ['video', 'v'],
      ['audio', uri],
    ]
    expect(pick(group('x', 'NO'), group('y', 'YES'), one)).toEqual(apart('y'))
    expect(pick(group('x', 'NO'), group('y', 'NO'), one)).toEqual(apart('x'))
  })

  test('sound alone that names itself as its own group is one playlist', () => {
    const group = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="v"'
    const one = variant('BANDWIDTH=1,CODECS="mp4a.40.2",AUDIO="a"', 'v')
    expect(pick(group, one)).toEqual([['muxed', 'v']])
  })
})

const T0 = Date.UTC(2026, 0, 1)

interface ListShape {
  readonly first: number
  readonly count?: number
  readonly durationS?: number
  /** Of the first segment, in milliseconds after T0. */
  readonly atMs?: number
}

const list = ({ first, count = 4, durationS = 2, atMs }: ListShape) =>
  parseMedia(
    [
      '#EXTM3U',
      '#EXT-X-TARGETDURATION:9',
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      ...Array.from({ length: count }, (_, i) =>
        [
          ...(atMs === undefined
            ? []
            : [
                `#EXT-X-PROGRAM-DATE-TIME:${new Date(T0 + atMs + i * durationS * 1000).toISOString()}`,
              ]),
          `#EXTINF:${durationS.toFixed(3)},`,
          `seg${first + i}.m4s?token=${Math.random()}`,
        ].join('\n'),
      ),
      '',
    ].join('\n'),
  )

describe('sound belongs to the picture', () => {
  test('of the same date, whatever its number', () => {
    const picture = list({ first: 100, atMs: 0 })
    expect(partnerOffset(picture, list({ first: 7, atMs: 30 }))).toBe(93)
    expect(partnerOffset(picture, list({ first: 7, atMs: 4000 }))).toBe(95)
  })

  test('where neither has dates, nothing tells', () => {
    expect(partnerOffset(list({ first: 3 }), list({ first: 3 }))).toBeUndefined()
  })

  test('of the date that most of its segments share, where dates waver or are rounded', () => {
    const wavering = (first: number, by: readonly number[], everyMs: number) =>
      parseMedia(
        `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n${by
          .map((ms, i) => {
            const date = new Date(T0 + i * everyMs + ms).toISOString()
            return `#EXT-X-PROGRAM-DATE-TIME:${date}\n#EXTINF:${everyMs / 1000},\n${i}\n`
          })
          .join('')}`,
      )
    const [up, down] = [
      [480, -310, 0, 500, -450, 90],
      [-500, 480, 120, -490, 0, 333],
    ]
    expect(partnerOffset(wavering(995, up, 2000), wavering(0, down, 2000))).toBe(995)
    const floor = Array.from({ length: 12 }, (_, i) => -((i * 960) % 1000))
    const later = Array.from({ length: 12 }, (_, i) => 20 - ((i * 960 + 20) % 1000))
    expect(partnerOffset(wavering(7, floor, 960), wavering(9, later, 960))).toBe(-2)
  })

  test('as found once, as long as any date agrees', () => {
    const picture = list({ first: 100, atMs: 0 })
    expect(partnerOffset(picture, list({ first: 7, atMs: 1900 }), 93)).toBe(94)
    expect(partnerOffset(picture, list({ first: 7, atMs: 0 }), 93)).toBe(93)
  })

  test('without dates: of the same media time, else of the same number, else of the same place', () => {
    const [picture, sound] = [list({ first: 1000 }), list({ first: 999 })]
    expect(undatedOffset(picture, sound, { picture: 50, sound: 50.02 })).toBe(1)
    expect(undatedOffset(picture, sound, { picture: 50, sound: 47.98 })).toBe(0)
    expect(undatedOffset(picture, sound, { picture: 50, sound: 90_000 })).toBe(0)
    expect(undatedOffset(picture, sound, undefined)).toBe(0)
    expect(undatedOffset(picture, list({ first: 5 }), undefined)).toBe(995)
    expect(undatedOffset(picture, list({ first: 5 }), { picture: 50, sound: 52 })).toBe(996)
  })

  test('unless it is cut in other places', () => {
    const picture = list({ first: 1, atMs: 0 })
    expect(() => partnerOffset(picture, list({ first: 1, atMs: 0, durationS: 6 }))).toThrow(
      'cannot be played',
    )
  })
})

describe('the numbers of an origin', () => {
  const clock = new ManualClock()
  const after = (...lists: readonly ListShape[]): readonly string[] => {
    const run = new OriginRun(clock)
    return lists.map((one) => run.look(list(one)))
  }

  test('go on while its list slides, stands still, leaps ahead or is empty', () => {
    const lists = [{ first: 1 }, { first: 3 }, { first: 3 }, { first: 90 }, { first: 90, count: 0 }]
    expect(after(...lists)).toEqual(['same', 'same', 'same', 'same', 'same'])
  })

  test('begin anew when they go back', () => {
    expect(after({ first: 50 }, { first: 0 })).toEqual(['same', 'restarted'])
  })

  test('begin anew when they come to mean other segments', () => {
    expect(after({ first: 5, atMs: 0 }, { first: 5, atMs: 60_000 })).toEqual(['same', 'restarted'])
  })

  test('go on where each list has other tokens in its paths, and no dates', () => {
    const run = new OriginRun(clock)
    const reload = (first: number, token: string) => {
      const uris = Array.from({ length: 4 }, (_, i) => `#EXTINF:2,\n${token}/${first + i}.ts\n`)
      const head = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:${first}\n`
      return run.look(parseMedia(head + uris.join('')))
    }
    const sightings = [5, 5, 6, 7, 8].map((first, i) => reload(first, `token${i}`))
    expect(sightings).toEqual(['same', 'same', 'same', 'same', 'same'])
    expect(run.numberOf(8)).toBe(8n)
    // The control: an origin that keeps its URIs, and then has others, has begun anew.
    expect(reload(9, 'token4')).toBe('same')
    expect(reload(9, 'other')).toBe('restarted')
  })

  test('go on where dates are computed anew for each list', () => {
    const lists = [0, 400, -300, 450, 200].map((wavers) => ({ first: 5, atMs: 60_000 + wavers }))
    expect(new Set(after(...lists))).toEqual(new Set(['same']))
  })

  test('stay where a cache gives an older list, but not for long', () => {
    const run = new OriginRun(clock)
    expect(run.look(list({ first: 5 }))).toBe('same')
    expect(run.look(list({ first: 4 }))).toBe('stale')
    expect(run.look(list({ first: 6 }))).toBe('same')
    expect(run.look(list({ first: 4 }))).toBe('stale')
    clock.advance(16_000)
    expect(run.look(list({ first: 4 }))).toBe('stale')
    expect(run.look(list({ first: 5 }))).toBe('restarted')
  })

  test('stay where one of several caches has stopped, however long', () => {
    const run = new OriginRun(clock)
    const sightings = Array.from({ length: 60 }, (_, i) => {
      clock.advance(2000)
      return [run.look(list({ first: 7 + i })), run.look(list({ first: 5 }))]
    })
    expect(run.look(list({ first: 5 }))).toBe('stale')
    expect(sightings.slice(1)).toEqual(sightings.slice(1).map(() => ['same', 'stale']))
    // The control: an origin that has begun anew goes on.
    expect(run.look(list({ first: 6 }))).toBe('restarted')
  })

  test('stay where caches are a segment apart, though dates waver or nothing tells', () => {
    const dated = new OriginRun(clock)
    expect(dated.look(list({ first: 6, atMs: 2040 }))).toBe('same')
    expect(dated.look(list({ first: 5, atMs: 0 }))).toBe('stale')
    const bare = new OriginRun(clock)
    const named = (first: number, token: string): MediaPlaylist => {
      const own = list({ first })
      return { ...own, segments: own.segments.map((one) => ({ ...one, uri: token + one.uri })) }
    }
    expect(bare.look(named(6, 'a/'))).toBe('same')
    expect(bare.look(named(5, 'b/'))).toBe('stale')
  })

  test('are those of before where its segments have the names of before', () => {
    const named = (first: number, numberedFrom: number, atMs?: number) => {
      const own = list({ first, ...(atMs === undefined ? {} : { atMs }) })
      return { ...own, mediaSequence: numberedFrom }
    }
    const before = named(5, 5)
    // A balancer has asked another packager, or nobody numbers a list that slides.
    expect(renumbered(named(6, 13), before).mediaSequence).toBe(6)
    expect(renumbered(named(6, 0), before).mediaSequence).toBe(6)
    // Nothing tells: other names, names of another time, and the same name again and again.
    expect(renumbered(named(50, 0), before).mediaSequence).toBe(0)
    expect(renumbered(named(6, 0, 60_000), named(5, 5, 0)).mediaSequence).toBe(0)
    const same = { ...before, segments: before.segments.map((one) => ({ ...one, uri: 'live.ts' })) }
    expect(renumbered({ ...same, mediaSequence: 6 }, same).mediaSequence).toBe(6)
  })

  test('only grow here, run after run', () => {
    const run = new OriginRun(clock)
    let newest = -1n
    for (const first of [500, 0, 2, 900, 3, 0]) {
      const sighting = run.look(list({ first, atMs: first * 2000 + Number(newest) * 5000 }))
      const number = run.numberOf(first + 3)
      if (sighting === 'restarted') expect(run.numberOf(first)).toBeGreaterThan(newest + 1n)
      expect(number).toBeGreaterThan(newest)
      newest = number
    }
  })
})
