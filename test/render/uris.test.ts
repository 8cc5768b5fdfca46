import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  initUri,
  mediaPlaylistUri,
  parseInitName,
  parseMediaPlaylistName,
  parseSegmentName,
  segmentUri,
} from '../../src/render/uris.ts'

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)

const containers = fc.constantFrom('m4s' as const, 'ts' as const, 'aac' as const)

function lastPart(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1)
}

test('names are parsed as they were written', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), id, containers, (msn, name, container) => {
      const uri = segmentUri('video', msn, name, container)
      expect(parseSegmentName(lastPart(uri))).toEqual({ msn, id: name, container })
      expect(parseInitName(lastPart(initUri('audio', name)))).toBe(name)
    }),
  )
  expect(parseMediaPlaylistName(mediaPlaylistUri('audio'))).toBe('audio')
  expect(parseMediaPlaylistName(mediaPlaylistUri('video'))).toBe('video')
})

test('nothing else is a name', () => {
  for (const name of [
    '',
    '-1-a.m4s',
    '01-a.m4s',
    '1-.m4s',
    '1-a.mp4',
    '1-a b.m4s',
    '1e3-a.m4s',
    'x1-a.m4s',
  ]) {
    expect(parseSegmentName(name), name).toBeUndefined()
  }
  for (const name of ['init-.mp4', 'init-a.m4s', 'init-../a.mp4', 'xinit-a.mp4']) {
    expect(parseInitName(name), name).toBeUndefined()
  }
  expect(parseMediaPlaylistName('constructor')).toBeUndefined()
})
