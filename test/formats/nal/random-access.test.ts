import { describe, expect, test } from 'vitest'
import { entryOf } from '../../../src/formats/mp4/entry.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { ownMedia } from '../../../src/formats/mp4/own-form.ts'
import { readSamples } from '../../../src/formats/mp4/samples.ts'
import { type EncodedTrack, encode } from '../../proof/encoded-track.ts'
import { readClip } from '../../support/mp4.ts'
import { hasTool } from '../../support/tools.ts'

const PICTURES = '-f lavfi -i testsrc2=size=160x90:rate=25 -t 3 -pix_fmt yuv420p'
const AVC = `${PICTURES} -c:v libx264 -preset veryfast`
const HEVC = `${PICTURES} -c:v libx265 -preset ultrafast -tag:v hvc1`
/** A fragment a second, wherever key frames are. */
const BY_TIME = '-movflags cmaf+empty_moov -frag_duration 1000000'
const BY_KEY = '-movflags cmaf+empty_moov+frag_keyframe'

/** How decoding can begin with each fragment, as published; and whether its first picture is flagged so. */
function entries({ init, fragments }: EncodedTrack): string[] {
  const facts = readInit(init)
  return fragments.map((fragment) => {
    const bytes = ownMedia(fragment, facts)
    const isSync = readSamples(bytes, facts).samples[0]?.isSync === true
    const entry = entryOf({ initBytes: init, bytes }, facts)
    expect(isSync).toBe(entry !== 'none')
    return entry
  })
}

describe.skipIf(!hasTool('ffmpeg'))('what a decoder can begin with', () => {
  test.each([
    ['closed groups', `${AVC} -g 25 -bf 2 ${BY_KEY}`, ['key', 'key', 'key']],
    [
      'open groups',
      `${AVC} -g 25 -bf 2 -x264-params open-gop=1:scenecut=0 ${BY_KEY}`,
      ['key', 'recovery', 'recovery'],
    ],
    [
      'intra refresh',
      `${AVC} -g 25 -x264-params intra-refresh=1:keyint=25:bframes=0 ${BY_TIME}`,
      ['key', 'recovery', 'recovery'],
    ],
    [
      'fragments cut by time',
      `${AVC} -g 50 -bf 0 -x264-params scenecut=0 ${BY_TIME}`,
      ['key', 'none', 'key'],
    ],
    [
      'H.265, closed groups',
      `${HEVC} -x265-params log-level=error:keyint=25:min-keyint=25:open-gop=0 ${BY_KEY}`,
      ['key', 'key', 'key'],
    ],
    [
      'H.265, open groups',
      `${HEVC} -x265-params log-level=error:keyint=24:min-keyint=24:open-gop=1:b-adapt=0 ${BY_KEY}`,
      ['key', 'recovery', 'recovery', 'recovery'],
    ],
  ])('%s', async (_, args, expected) => {
    expect(entries(await encode(args))).toEqual(expected)
  })
})

test('key frames that are not flagged as such are, once they are published', () => {
  for (const name of ['avc', 'hevc'] as const) {
    const { init, fragments } = readClip(name)
    const unflagged = fragments.map((fragment) => {
      const bytes = Buffer.from(fragment)
      // first_sample_flags of the only trun.
      bytes.writeUInt32BE(0x1010000, bytes.indexOf('trun') + 16)
      return bytes
    })
    const facts = readInit(init)
    expect(readSamples(unflagged[0] ?? init, facts).samples[0]?.isSync).toBe(false)
    expect(entries({ init, fragments: unflagged })).toEqual(Array(4).fill('key'))
  }
})

test('scrambled pictures are what their flags say', () => {
  const { init, fragments } = readClip('avc')
  const facts = readInit(init)
  const [first] = fragments
  if (first === undefined) throw new Error('no fragment')
  const scrambled = Buffer.from(first)
  scrambled.fill(0xff, scrambled.indexOf('mdat') + 4)
  expect(entryOf({ initBytes: init, bytes: scrambled }, facts)).toBe('key')
})
