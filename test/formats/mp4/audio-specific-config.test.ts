import { expect, test } from 'vitest'
import { channelsOf } from '../../../src/formats/mp4/audio-specific-config.ts'

test.each([
  ['AAC-LC, 48 kHz, stereo', [0x11, 0x90], 2],
  ['AAC-LC, 44.1 kHz, mono', [0x12, 0x08], 1],
  ['AAC-LC, 48 kHz, 5.1', [0x11, 0xb0], 6],
  ['AAC-LC, 48 kHz, 7.1', [0x11, 0xb8], 8],
  ['a frequency of its own, stereo', [0x17, 0x80, 0x5d, 0xc0, 0x10], 2],
  ['HE-AAC, mono', [0x2b, 0x09, 0x88], 1],
  ['HE-AAC v2, parametric stereo', [0xeb, 0x09, 0x88], 2],
  ['channels told elsewhere', [0x11, 0x80], undefined],
  ['nothing', [], undefined],
  ['cut off', [0x11], undefined],
])('%s', (_, bytes, channels) => {
  expect(channelsOf(Uint8Array.from(bytes))).toBe(channels)
})
