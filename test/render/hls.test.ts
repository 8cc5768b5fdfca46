import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMedia } from '../../src/formats/m3u8/parse-media.ts'
import { parseMultivariant } from '../../src/formats/m3u8/parse-multivariant.ts'
import { renderMedia, renderMultivariant } from '../../src/render/hls.ts'
import type { RenditionName } from '../../src/timeline/fragment.ts'
import type { LiveList } from '../../src/timeline/segment-list.ts'
import { Timeline } from '../../src/timeline/timeline.ts'
import { AUDIO, accept, Camera, type CameraOptions, START_MS, VIDEO } from '../support/camera.ts'

const OPTIONS = { window: 5, targetDurationFloorS: () => 2 }

function golden(name: string): string {
  return readFileSync(new URL(`golden/${name}.m3u8`, import.meta.url), 'utf8')
}

/** A camera's `count` fragments, with `before` called before each. */
function film(
  count: number,
  before: (camera: Camera, i: number) => void = () => {},
  options: CameraOptions = {},
): Timeline {
  const timeline = Timeline.begin(OPTIONS)
  const camera = new Camera(options)
  for (let i = 0; i < count; i++) {
    before(camera, i)
    accept(timeline, camera.next())
  }
  return timeline
}

function shown(timeline: Timeline): LiveList {
  const snapshot = timeline.snapshot()
  if (snapshot === undefined) throw new Error('nothing was committed')
  return snapshot
}

/** After a gap of 5 s and new codec private data, without audio at the end. */
const eventful = shown(
  film(5, (camera, i) => {
    if (i === 1) camera.lose(5000)
    if (i === 2) camera.video = { ...VIDEO, id: 'v2' }
    if (i === 3) camera.video = VIDEO
    if (i === 4) camera.audio = undefined
  }),
)

describe('media playlists', () => {
  test.each(['video', 'audio'] as const)('%s, as written down', (rendition) => {
    expect(renderMedia(eventful, rendition)).toBe(golden(`eventful-${rendition}`))
  })

  test('after idling there is a head and nothing to play', () => {
    const timeline = film(3)
    timeline.resume(START_MS)
    expect(renderMedia(shown(timeline), 'video')).toBe(golden('empty'))
  })

  test('G7: all renditions list the same numbers, dates and discontinuities', () => {
    const [video, audio] = (['video', 'audio'] as const).map((name) =>
      parseMedia(renderMedia(eventful, name)),
    )
    expect(audio?.mediaSequence).toBe(video?.mediaSequence)
    expect(audio?.segments.map(({ discontinuity }) => discontinuity)).toEqual(
      video?.segments.map(({ discontinuity }) => discontinuity),
    )
    expect(audio?.segments.map(({ gap }) => gap)).toEqual([false, false, false, false, true])
  })

  test('a discontinuity at the head of the list is its first segment’s own', () => {
    const timeline = film(9, (camera, i) => {
      if (i === 1) camera.lose(5000)
    })
    const snapshot = shown(timeline)
    const lines = renderMedia(snapshot, 'video').split('\n')
    const [first] = snapshot.tail
    expect(first?.discontinuity).toBe('gap')
    expect(lines).toContain(`#EXT-X-DISCONTINUITY-SEQUENCE:${(first?.dsn ?? 0) - 1}`)
    expect(lines.indexOf('#EXT-X-DISCONTINUITY')).toBeLessThan(
      lines.findIndex((line) => line.startsWith('#EXT-X-MAP')),
    )
  })
})

test('G4: EXTINF is within a microsecond of the media, each rendition its own', () => {
  const fragmentMs = fc.double({ min: 500, max: 20_000, noNaN: true })
  fc.assert(
    fc.property(fragmentMs, fc.constantFrom<RenditionName>('video', 'audio'), (length, name) => {
      const snapshot = shown(film(5, () => {}, { fragmentMs: length }))
      const { segments } = parseMedia(renderMedia(snapshot, name))
      for (const [i, { durationS }] of segments.entries()) {
        const track = snapshot.tail[i]?.tracks[name]
        const mediaS = (track?.durationTicks ?? 0) / (track?.init.timescale ?? 1)
        expect(Math.abs(durationS - mediaS)).toBeLessThan(1e-6)
        expect(Math.round(durationS)).toBeLessThanOrEqual(snapshot.targetDuration)
      }
    }),
    { numRuns: 50 },
  )
})

describe('multivariant playlists', () => {
  test('audio and video, as written down', () => {
    expect(renderMultivariant(shown(film(5)))).toBe(golden('master-audio-video'))
  })

  test('video only, as written down', () => {
    expect(renderMultivariant(shown(film(5, () => {}, { audio: false })))).toBe(
      golden('master-video'),
    )
  })

  test('audio only, as written down', () => {
    const timeline = Timeline.begin(OPTIONS)
    const { tracks, ...fragment } = new Camera().next()
    if (tracks.audio === undefined) throw new Error('no audio')
    accept(timeline, { ...fragment, tracks: { audio: tracks.audio } })
    expect(renderMultivariant(shown(timeline))).toBe(golden('master-audio'))
  })

  test('pictures of another dynamic range, as written down; a mixed list is of the widest', () => {
    const ranges = ['HLG', undefined, 'PQ', undefined, 'HLG'] as const
    const list = shown(
      film(5, (camera, i) => {
        const videoRange = ranges[i]
        const { id } = VIDEO
        camera.video =
          videoRange === undefined ? VIDEO : { ...VIDEO, id: id + videoRange, videoRange }
      }),
    )
    expect(renderMultivariant(list)).toBe(golden('master-pq'))
    const rangeOf = (text: string): string | undefined =>
      parseMultivariant(text).variants[0]?.videoRange
    expect(rangeOf(renderMultivariant(list))).toBe('PQ')
    const hlg = film(5, (camera) => {
      camera.video = { ...VIDEO, videoRange: 'HLG' }
    })
    expect(rangeOf(renderMultivariant(shown(hlg)))).toBe('HLG')
    expect(rangeOf(renderMultivariant(shown(film(5))))).toBeUndefined()
  })

  test.each([
    ['mp4a.40.2', ['AAC']],
    ['mp4a.40.5', ['AAC']],
    ['', ['unknown']],
    ['Opus', ['Opus', 'none']],
    ['mp4a.40.34', ['MP3', 'none']],
  ])('sound that not all players take (%s) is not in all variants', (codec, expected) => {
    const list = shown(
      film(5, (camera) => {
        camera.audio = { ...AUDIO, codec }
      }),
    )
    const { audio, variants } = parseMultivariant(renderMultivariant(list))
    expect(audio).toHaveLength(1)
    const [whole, ...others] = variants
    const codecs = [VIDEO.codec, ...(codec === '' ? [] : [codec])]
    expect(whole).toMatchObject({ codecs, audioGroup: 'audio' })
    // Alike in all else, so that nobody turns to silence when the line is slow.
    const silent = { ...whole, codecs: [VIDEO.codec], audioGroup: undefined }
    expect(others).toEqual(expected.slice(1).map(() => silent))
  })

  test('audio that went is listed until its last segment has left', () => {
    const left = (count: number): number => {
      const timeline = film(count, (camera, i) => {
        if (i === 4) camera.audio = undefined
      })
      return parseMultivariant(renderMultivariant(shown(timeline))).audio.length
    }
    expect([5, 11, 12].map(left)).toEqual([1, 1, 0])
  })

  test('nothing listed, nothing to say', () => {
    const timeline = film(1)
    timeline.resume(START_MS)
    expect(() => renderMultivariant(shown(timeline))).toThrow(/No segment is listed/)
  })
})
