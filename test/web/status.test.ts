import { describe, expect, test } from 'vitest'
import { ERRORS } from '../../src/base/errors.ts'
import { NO_REACH } from '../../src/streams/stream.ts'
import { reasonInWords } from '../../src/web/pages/reason.js'
import { statusOf } from '../../src/web/pages/status.js'

const NOW = new Date(2026, 10, 23, 14, 3, 34).getTime()
const LOST = NOW - 12_000

type Seen = Parameters<typeof statusOf>[0]
type Stream = NonNullable<Seen['stream']>

function status(stream: Partial<Stream> | undefined, seen: Partial<Seen> = {}) {
  const entry: Stream | undefined = stream && {
    name: 'lobby',
    state: 'live',
    reason: null,
    since: NOW - 2000,
    source: 'camera',
    lastFragmentAt: LOST,
    targetDuration: 2,
    renditions: [],
    past: NO_REACH,
    ...stream,
  }
  const still = { held: false, playing: false, pictured: true, latencyMs: undefined }
  const looks = { now: NOW, ...still, ...seen }
  return statusOf({ ...looks, stream: entry })
}

describe('what a tile says', () => {
  test('a moving picture: live, and how far behind', () => {
    expect(status({}, { playing: true, latencyMs: 4120 })).toEqual({
      tone: 'live',
      label: 'Live · 4.1 s',
      headline: '',
      detail: '',
    })
  })

  test('a backup is as live as any, and told', () => {
    const seen = { playing: true, latencyMs: 4120 }
    expect(status({ source: 'backup' }, seen).label).toBe('Live · 4.1 s · backup')
  })

  test('a slate speaks for itself: nothing stands over it', () => {
    expect(status({ state: 'slate', source: 'slate' }, { playing: true })).toEqual({
      tone: 'slate',
      label: 'Away since 14:03:22',
      headline: '',
      detail: '',
    })
  })

  test('a picture by turns never passes for a live one, not even during its turn', () => {
    const seen = { held: true, playing: true, latencyMs: 12_300 }
    expect(status({}, seen)).toMatchObject({
      tone: 'still',
      label: 'Still · 12 s ago',
      headline: '',
    })
    expect(status({}, { held: true, pictured: false })).toMatchObject({ tone: 'starting' })
  })

  test('live without a known latency is just live', () => {
    expect(status({}, { playing: true }).label).toBe('Live')
  })

  test('a live stream that does not move here is our trouble, not the camera’s', () => {
    expect(status({}, { playing: false })).toMatchObject({ tone: 'late', headline: 'Reconnecting' })
    expect(status({}, { pictured: false })).toMatchObject({ tone: 'starting' })
  })

  test('stale: for how long and since when there is no picture, counted from the last one', () => {
    expect(status({ state: 'stale' })).toMatchObject({
      tone: 'stale',
      headline: 'No picture for 12 s',
      detail: 'since 14:03:22',
    })
  })

  test('offline and ended count from the last picture, not from the verdict', () => {
    expect(status({ state: 'offline' })).toMatchObject({
      tone: 'offline',
      headline: 'Offline since 14:03:22',
    })
    expect(status({ state: 'ended' }).headline).toBe('Ended at 14:03:22')
  })

  test('offline that never had a picture: since the verdict, with the reason', () => {
    const lost = status({ state: 'offline', lastFragmentAt: null, reason: 'no_media' })
    expect(lost.headline).toBe('Offline since 14:03:32')
    expect(lost.detail).toBe('The camera is not sending a picture.')
  })

  test('starting says what it waits for once it takes long', () => {
    expect(status({ state: 'starting' }).detail).toBe('')
    expect(status({ state: 'starting', since: NOW - 20_000 }).detail).toBe(
      'Waiting for the first picture · 20 s',
    )
  })

  test('failed and unknown say why', () => {
    expect(status({ state: 'failed', reason: 'upstream_no_retention' })).toMatchObject({
      tone: 'failed',
      detail: 'The camera’s stream is set up to keep no data.',
    })
    expect(status({ state: 'unknown' }).detail).toContain('“lobby”')
  })

  test('before the first answer: connecting', () => {
    expect(status(undefined)).toMatchObject({ tone: 'starting', headline: 'Connecting' })
  })
})

test('every upstream failure of the contract has its own words', () => {
  const codes = Object.keys(ERRORS).filter((code) => code.startsWith('upstream_'))
  const words = codes.map(reasonInWords)
  expect(new Set(words).size).toBe(codes.length)
  expect(words).not.toContain(reasonInWords('a code of tomorrow'))
  expect(reasonInWords(null)).toBe('')
})
