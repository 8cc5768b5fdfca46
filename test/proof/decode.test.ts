import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readBoxes } from './boxes.ts'
import { decodeEach, decodeWithoutWarning, mux } from './decode.ts'
import { delayed, type EncodedTrack, encodeTrack } from './encoded-track.ts'
import { readInitSegment } from './init-segment.ts'
import { readMediaSegment } from './media-segment.ts'

let video: EncodedTrack
let audio: EncodedTrack

beforeAll(async () => {
  video = await encodeTrack('video', 4)
  audio = await encodeTrack('audio', 4)
})

const joined = ({ init, fragments }: EncodedTrack): Buffer => Buffer.concat([init, ...fragments])

test('whole media decodes without a word', async () => {
  const { warnings, streams } = await decodeWithoutWarning(joined(video))

  expect(warnings).toEqual([])
  expect(streams).toMatchObject([{ type: 'video', frames: 100, packets: 100, gaps: [] }])
})

test.each([0, Date.UTC(2026, 0, 1) / 1000])(
  'two tracks that begin at second %d become one file without a shift between them',
  async (seconds) => {
    const picture = delayed(video, seconds)
    const sound = delayed({ ...audio, fragments: audio.fragments.slice(1) }, seconds)
    const muxed = await mux(joined(picture), joined(sound))
    const { warnings, streams } = await decodeWithoutWarning(muxed)

    expect(warnings).toEqual([])
    expect(streams).toMatchObject([
      { type: 'video', gaps: [] },
      { type: 'audio', gaps: [] },
    ])
    const [first, second] = streams
    const offsetMs = ((second?.startS ?? 0) - (first?.startS ?? 0)) * 1000
    expect(offsetMs).toBeCloseTo(startMs(sound) - startMs(picture), 0)
  },
)

const startMs = ({ init, fragments }: EncodedTrack): number =>
  readMediaSegment(fragments[0] ?? init, readInitSegment(init)).startMs

test('a playlist is followed like a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-decode-'))
  const names = video.fragments.map((_bytes, i) => `${i}.m4s`)
  const entries = names.map((name) => `#EXTINF:1.0,\n${name}\n`).join('')
  const head = '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="init.mp4"\n'
  await Promise.all([
    writeFile(join(folder, 'video.m3u8'), `${head}${entries}#EXT-X-ENDLIST\n`),
    writeFile(join(folder, 'init.mp4'), video.init),
    ...video.fragments.map((bytes, i) => writeFile(join(folder, names[i] ?? ''), bytes)),
  ])
  const whole = await decodeWithoutWarning(join(folder, 'video.m3u8'))
  const beginning = await decodeWithoutWarning(join(folder, 'video.m3u8'), { durationS: 2 })
  await rm(folder, { recursive: true })

  expect(whole).toMatchObject({ warnings: [], streams: [{ frames: 100, packets: 100, gaps: [] }] })
  expect(beginning.warnings).toEqual([])
  expect(beginning.streams[0]?.frames).toBe(50)
})

describe('the decoder can complain', () => {
  test('about a fragment that is missing', async () => {
    const { init, fragments } = video
    const [a, _b, ...rest] = fragments
    const { streams } = await decodeWithoutWarning(Buffer.concat([init, a ?? init, ...rest]))

    expect(streams[0]?.gaps).toHaveLength(1)
    expect(streams[0]?.gaps[0]?.gapMs).toBeCloseTo(1000, 0)
  })

  test('about damaged samples', async () => {
    const bytes = Buffer.from(joined(video))
    const mdat = readBoxes(bytes).find(({ type }) => type === 'mdat')
    bytes.fill(0x55, (mdat?.start ?? 0) + 400, (mdat?.start ?? 0) + 900)

    expect((await decodeWithoutWarning(bytes)).warnings).not.toEqual([])
  })

  test('about a file that is cut off', async () => {
    const bytes = joined(video)
    const { warnings } = await decodeWithoutWarning(bytes.subarray(0, bytes.length - 700))

    expect(warnings).not.toEqual([])
  })

  test('about what is no media', async () => {
    expect((await decodeWithoutWarning(Buffer.from('<html>'))).warnings).not.toEqual([])
  })
})

describe('of several files', () => {
  test('each has the verdict that it has alone, also when it has been decoded before', async () => {
    const files = [
      video,
      delayed(video, 7),
      audio,
      { ...audio, fragments: audio.fragments.slice(1) },
      { ...video, fragments: video.fragments.filter((_, i) => i !== 1) },
    ]
    const media = [...files, delayed(audio, 3)].map(joined)
    const alone = []
    for (const file of media) alone.push(await decodeWithoutWarning(file))

    expect(await decodeEach(media)).toEqual(alone)
    expect(await decodeEach(media.toReversed())).toEqual(alone.toReversed())
  })

  test('a damaged one is found among others', async () => {
    const whole = joined(video)
    const damaged = Buffer.from(whole)
    const mdat = readBoxes(damaged).findLast(({ type }) => type === 'mdat')
    damaged.fill(0x55, (mdat?.start ?? 0) + 400, (mdat?.start ?? 0) + 900)
    await decodeEach([whole])
    const results = await decodeEach([joined(audio), damaged, whole])

    expect(results.map(({ warnings }) => warnings.length > 0)).toEqual([false, true, false])
  })
})

test.each(['video', 'audio'] as const)('our reader and ffmpeg agree on %s', async (kind) => {
  const { init, fragments } = kind === 'video' ? video : audio
  const facts = readInitSegment(init)
  const segments = fragments.map((bytes) => readMediaSegment(bytes, facts))
  // Of the very last packet ffmpeg prints the codec's duration, not the container's.
  const whole = segments.slice(0, -1)
  const { streams } = await decodeWithoutWarning(
    joined({ init, fragments: fragments.slice(0, -1) }),
  )
  const [stream] = streams

  expect(whole.reduce((sum, { samples }) => sum + samples, 0)).toBe(stream?.packets)
  // ffmpeg shows times after the edit list, so only spans can be compared.
  const spanMs = (segments.at(-1)?.startMs ?? 0) - (segments[0]?.startMs ?? 0)
  expect(spanMs).toBeCloseTo(((stream?.endS ?? 0) - (stream?.startS ?? 0)) * 1000, 0)
  expect(whole.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeCloseTo(spanMs, 3)
  expect(facts.codec).toMatch(kind === 'video' ? /^avc1\.[0-9a-f]{6}$/ : /^mp4a$/)
})
