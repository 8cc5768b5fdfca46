import { describe, expect, test } from 'vitest'
import { feedUrl, placeOf, playlistUrl } from '../../src/web/pages/place.js'

describe('a page’s place', () => {
  test.each([
    ['/play/lobby', '', '/', ['lobby']],
    ['/play/a%20b', '', '/', ['a b']],
    ['/play/100%', '', '/', ['100%']],
    ['/s/token/play/lobby', '?x=1', '/s/token/', ['lobby']],
    ['/wall', '', '/', []],
    ['/wall', '?streams=b,a,b,%20,', '/', ['b', 'a']],
    ['/cams/wall', '?streams=a%2Fb', '/cams/', ['a/b']],
  ])('%s%s', (path, search, root, names) => {
    expect(placeOf(path, search)).toEqual({ root, names })
  })

  test('a wall of more names than the feed takes is cut, not broken', () => {
    const names = Array.from({ length: 100 }, (_, i) => `cam-${i}`)
    expect(placeOf('/wall', `?streams=${names.join(',')}`).names).toHaveLength(64)
  })

  test('addresses stay below the page’s root, whatever a name holds', () => {
    expect(playlistUrl('/s/t/', 'a/../b')).toBe('/s/t/hls/a%2F..%2Fb/master.m3u8')
    expect(feedUrl('/', ['a&b', 'c'])).toBe('/web/feed?streams=a%26b,c')
    expect(feedUrl('/', [])).toBe('/web/feed')
  })
})
