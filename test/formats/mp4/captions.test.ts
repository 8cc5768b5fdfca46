import { expect, test } from 'vitest'
import { captionsOf } from '../../../src/formats/mp4/entry.ts'
import { readInit } from '../../../src/formats/mp4/init.ts'
import { writeFragment } from '../../../src/formats/mp4/write-fragment.ts'
import { CLIPS, readClip } from '../../support/mp4.ts'

/** A message for registered users, as encoders write it: payload type 4, country, provider, and what it is. */
const message = (text: string): Buffer => Buffer.from(`\x04\x0e\xb5\x001${text}\xfc\xff`, 'latin1')
const CAPTIONS = message('GA94\x03\xc1\xff')
/** Which part of the picture matters. */
const ACTIVE_FORMAT = message('DTG1\x41\xff')
const BARS = message('GA94\x06\xff')

test.each(CLIPS)('%s carries none', (name) => {
  const { init, fragments } = readClip(name)
  const facts = readInit(init)
  for (const bytes of fragments) {
    expect(captionsOf({ initBytes: init, bytes }, facts)).toBe(name === 'aac' ? undefined : false)
  }
})

test.each([
  ['avc', '\x06', CAPTIONS, true],
  ['avc', '\x06', ACTIVE_FORMAT, false],
  ['avc', '\x06', BARS, false],
  // What looks like it in a picture is none.
  ['avc', '\x65', CAPTIONS, false],
  ['hevc', '\x4e\x01', CAPTIONS, true],
  ['hevc', '\x50\x01', CAPTIONS, true],
  ['hevc', '\x26\x01', CAPTIONS, false],
] as const)('%s, a unit that begins with %j: %#', (name, header, body, expected) => {
  const { init } = readClip(name)
  const unit = Buffer.concat([Buffer.from(header, 'latin1'), body])
  const data = Buffer.concat([Buffer.from([0, 0, 0, unit.length]), unit])
  const bytes = writeFragment([{ dts: 0, pts: 0, duration: 512, key: true, data }], { trackId: 1 })
  expect(captionsOf({ initBytes: init, bytes }, readInit(init))).toBe(expected)
})
