import { describe, expect, test } from 'vitest'
import { EVENT_TYPES } from '../../../src/base/event-types.ts'
import type { StreamStatus } from '../../../src/streams/status.ts'
import { actionsOf, sourcesOf } from '../../../src/web/pages/admin/actions.js'
import { eventInWords, EVENT_TYPES as TOLD } from '../../../src/web/pages/admin/event-words.js'
import { factsOf, figuresOf, notesOf, totalsOf } from '../../../src/web/pages/admin/figures.js'
import { isWanted, statesOf } from '../../../src/web/pages/admin/filter.js'
import { hashOf, openedIn } from '../../../src/web/pages/admin/opened.js'
import {
  bytesInWords,
  percentInWords,
  rateInWords,
  secondsInWords,
  usdInWords,
} from '../../../src/web/pages/admin/units.js'

const NOW = Date.UTC(2026, 0, 1, 12)
const lobby: StreamStatus = {
  name: 'lobby',
  state: 'live',
  reason: null,
  activation: 'on-demand',
  dynamic: false,
  source: 'camera',
  forced: null,
  backup: false,
  session: {
    openedAt: '2026-01-01T11:00:00.000Z',
    expiresAt: '2026-01-01T12:05:00.000Z',
    rollovers: 3,
  },
  owner: null,
  sessionsOpen: 1,
  lastFragment: {
    number: '1',
    producedAt: '2026-01-01T11:59:56.500Z',
    receivedAt: '2026-01-01T11:59:59.000Z',
  },
  mediaSequence: 5,
  discontinuitySequence: 0,
  dvr: null,
  viewers: 7,
  upstream: { requests: 10, bytes: 2 ** 20 },
  downstream: { requests: 70, bytes: 7 * 2 ** 20 },
  spentUsd: 0.0012,
  savedUsd: 0.25,
  quota: null,
}
const idle: StreamStatus = {
  ...lobby,
  name: 'yard',
  state: 'idle',
  session: null,
  lastFragment: null,
}

describe('what may be ordered', () => {
  const node = { version: '1', startedAt: '2026-01-01T00:00:00Z', leaving: false, streams: 1 }
  const nodes = [
    { ...node, name: 'a', self: true },
    { ...node, name: 'b', self: false },
  ]
  const why = (status: StreamStatus, among = nodes): Record<string, string | undefined> =>
    Object.fromEntries(actionsOf(status, among).map(({ id, whyNot }) => [id, whyNot]))

  test('of one node: a roll-over where there is a session, and a stop that is asked about', () => {
    const [rollOver, stop, ...others] = actionsOf(lobby)
    expect(rollOver).toMatchObject({ id: 'rollover' })
    expect(rollOver).not.toHaveProperty('whyNot')
    expect(stop).toMatchObject({ id: 'stop' })
    expect(stop?.ask).toContain('7 viewers watch it')
    expect(others).toEqual([])
    expect(actionsOf(idle)).toMatchObject([
      { id: 'rollover', whyNot: 'No session is open.' },
      { id: 'start' },
    ])
  })

  test('of several nodes: what is another one’s is ordered there', () => {
    for (const owner of ['a', 'b']) {
      const session = owner === 'a' ? lobby.session : null
      expect(why({ ...lobby, owner, session })).toEqual({
        rollover: undefined,
        stop: undefined,
        handover: undefined,
      })
    }
    expect(why(idle)).toMatchObject({
      rollover: 'No session is open.',
      handover: 'No node owns it: nobody wants it now.',
    })
    expect(why({ ...lobby, owner: 'a' }, nodes.slice(0, 1))).toMatchObject({
      handover: 'There is no other node.',
    })
  })

  test('a source, where there is a choice', () => {
    expect(sourcesOf(lobby)).toEqual([])
    const chosen = (forced: StreamStatus['forced']): readonly (string | undefined)[] =>
      sourcesOf({ ...lobby, backup: true, forced }).flatMap(({ body, chosen: is }) =>
        is === true ? [body?.source] : [],
      )
    expect([chosen(null), chosen('camera'), chosen('backup')]).toEqual([
      ['auto'],
      ['camera'],
      ['backup'],
    ])
  })
})

test('what a stream’s row tells', () => {
  expect(figuresOf(lobby, NOW)).toEqual([
    ['Viewers', '7'],
    ['Last fragment', '1 s ago'],
    ['Delay', '2.5 s'],
    ['Session ends in', '5 min'],
    ['To players', '7.0 MiB'],
    ['Saved', '$0.25'],
  ])
  expect(figuresOf(idle, NOW).map(([, value]) => value)).toEqual([
    '7',
    '–',
    '–',
    '–',
    '7.0 MiB',
    '$0.25',
  ])
  expect(notesOf({ ...lobby, reason: 'no_media', forced: 'backup', owner: 'a' })).toEqual([
    'no_media',
    'backup, by order',
    'owned by a',
  ])
  expect(notesOf({ ...lobby, source: 'backup' })).toEqual(['backup'])
  expect(Object.fromEntries(factsOf({ ...lobby, owner: 'a' }, NOW))).toMatchObject({
    Session: 'opened 1 h ago',
    Owner: 'a',
    Spent: '$0.0012',
  })
})

test('what all streams are together', () => {
  expect(totalsOf([lobby, idle])).toEqual([
    ['Live', '1 of 2'],
    ['Viewers', '14'],
    ['From upstream', '2.0 MiB'],
    ['To players', '14.0 MiB'],
    ['Spent', '$0.0024'],
    ['Saved', '$0.50'],
  ])
})

test('streams are found by name and by state, the worst first', () => {
  expect(statesOf([lobby, idle, { ...lobby, state: 'failed' }])).toEqual([
    { state: 'failed', count: 1 },
    { state: 'idle', count: 1 },
    { state: 'live', count: 1 },
  ])
  expect(isWanted(lobby, { text: ' LOB ', state: undefined })).toBe(true)
  expect(isWanted(lobby, { text: 'yard', state: undefined })).toBe(false)
  expect(isWanted(lobby, { text: '', state: 'failed' })).toBe(false)
})

test('which streams are open is in the address, whatever they are called', () => {
  const names = ['lobby', 'a&b#c', '100 %', 'Tür']
  expect(openedIn(hashOf(names))).toEqual(names)
  expect(openedIn('')).toEqual([])
  expect(openedIn('#%')).toEqual(['%'])
})

describe('events', () => {
  test('each type has words of its own, whatever it says', () => {
    expect(TOLD).toEqual(EVENT_TYPES)
    for (const type of EVENT_TYPES) {
      const { words } = eventInWords({ id: '1', time: '', type })
      expect(words).not.toBe(type)
      expect(words).not.toBe('')
    }
    expect(eventInWords({ id: '1', time: '', type: 'of.tomorrow' })).toEqual({
      tone: 'note',
      words: 'of.tomorrow',
    })
  })

  test.each([
    ['stream.lost', { reason: 'no_media' }, 'Nothing comes any more: no_media'],
    ['stream.lost', { reason: null }, 'Nothing comes any more'],
    ['stream.back', { goneSeconds: 340 }, 'Is back, away for 5 min'],
    [
      'source.switched',
      { from: 'camera', to: 'backup', forced: true },
      'backup instead of camera, by order',
    ],
    ['quota.near', { kind: 'media', usedRatio: 0.91 }, 'Needs 91 % of its media points'],
    ['auth.refused', { code: 'forbidden', count: 1 }, '1 request refused: forbidden'],
    [
      'auth.refused',
      { listener: 'admin', code: 'unauthenticated', count: 9 },
      '9 requests refused by the admin listener: unauthenticated',
    ],
    ['config.reloaded', { applied: true }, 'The configuration was read again'],
    [
      'config.reloaded',
      { applied: false, faults: 2 },
      'The configuration has 2 faults: nothing changed',
    ],
  ])('%s %j', (type, data, words) => {
    expect(eventInWords({ id: '1', time: '', type, data }).words).toBe(words)
  })
})

test('units', () => {
  expect([0, 1023, 1536, 7 * 2 ** 30].map(bytesInWords)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '7.0 GiB',
  ])
  expect([0, 950, 1000, 123_456, 2.4e6, 59.96e6, 1e12].map(rateInWords)).toEqual([
    '0 bit/s',
    '950 bit/s',
    '1.0 kbit/s',
    '123 kbit/s',
    '2.4 Mbit/s',
    '60 Mbit/s',
    '1000 Gbit/s',
  ])
  expect([-3.14, 2.44, 45.2].map(secondsInWords)).toEqual(['-3.1 s', '2.4 s', '45 s'])
  expect([0, 0.0012, 0.25, 12].map(usdInWords)).toEqual(['$0.00', '$0.0012', '$0.25', '$12.00'])
  expect([0, 0.004, 0.5].map(percentInWords)).toEqual(['0 %', '0.4 %', '50 %'])
})
