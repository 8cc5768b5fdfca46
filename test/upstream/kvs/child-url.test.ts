import { expect, test } from 'vitest'
import {
  childUrl,
  queryValue,
  queryWithout,
  withQueryValue,
} from '../../../src/upstream/kvs/child-url.ts'

const SESSION = new URL(
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=Ci~',
)

test('a sibling resolves, its query untouched', () => {
  const uri = 'getMP4MediaFragment.mp4?FragmentNumber=91&SessionToken=Ci_a-b~&TrackNumber=1&New=%7e'
  expect(childUrl(SESSION, uri).href).toBe(new URL('.', SESSION).href + uri)
})

test.each([
  'https://attacker.example/hls/v1/x.mp4',
  '//attacker.example/hls/v1/x.mp4',
  'http://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/hls/v1/x.mp4',
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com:444/hls/v1/x.mp4',
  'https://me@b-1234abcd.kinesisvideo.us-west-2.amazonaws.com/hls/v1/x.mp4',
  '/x.mp4',
  '../x.mp4',
  'deeper/x.mp4',
  '..%2fx.mp4',
  '%2e%2e%2fx.mp4',
  '..\\x.mp4',
  'x.mp4;y',
  'data:video/mp4,abc',
  '?SessionToken=only',
  'http://[',
])('G17: %s is not followed', (uri) => {
  const session = new URL(SESSION)
  if (uri.startsWith('?')) session.pathname = '/hls/v1/'
  expect(() => childUrl(session, uri)).toThrow('did not give a usable answer')
})

test('parameters are read and replaced by name, wherever they are', () => {
  const url = new URL('https://x.example/a?SessionToken=Ci~&FragmentNumber=1&Track=%7E&Flag')
  expect(queryValue(url, 'FragmentNumber')).toBe('1')
  expect(queryValue(url, 'Fragment')).toBeUndefined()
  expect(withQueryValue(url, 'FragmentNumber', '22').search).toBe(
    '?SessionToken=Ci~&FragmentNumber=22&Track=%7E&Flag',
  )
  expect(queryWithout(url, 'SessionToken')).toBe('FragmentNumber=1&Track=%7E&Flag')
})
