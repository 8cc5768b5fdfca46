import { expect, test } from 'vitest'
import { CallBook, readFault } from '../../src/doctor/probe/call-book.ts'
import { ManualClock } from '../support/manual-clock.ts'

const DENIED =
  'User: arn:aws:sts::123456789012:assumed-role/viewer/x is not authorized to perform: kinesisvideo:ListFragments on resource: arn:aws:kinesisvideo:us-west-2:'

test.each([
  [`${DENIED}123456789012:stream/a/1`, 'kinesisvideo:ListFragments', false],
  [`${DENIED}210987654321:stream/a/1`, 'kinesisvideo:ListFragments', true],
  ['arn:aws:kms:us-west-2:123456789012:key/0 is disabled.', 'kms:Decrypt', undefined],
  ['The requested stream is not found or not active.', undefined, undefined],
])('of %j what is missing is read before names are masked', (message, action, crossAccount) => {
  expect(readFault({ name: 'X', message })).toEqual({
    name: 'X',
    message,
    ...(action === undefined ? {} : { action }),
    ...(crossAccount === undefined ? {} : { crossAccount }),
  })
})

test('calls are written down with when, how long, and whose clock', async () => {
  const clock = new ManualClock()
  const book = new CallBook(clock)
  clock.advance(100)
  await book.note('DescribeStream', undefined, async () => {
    clock.advance(40)
    return Promise.resolve({ value: 1, status: 200, dateMs: clock.date() + 60_000 })
  })
  await book.note('GetHLSMediaPlaylist', 'video', () =>
    Promise.resolve({
      value: Buffer.from('abc'),
      status: 200,
      headers: { 'content-type': 'text/plain', 'set-cookie': ['secret=1'], 'x-amz-id': 'secret' },
    }),
  )
  expect(book.calls).toEqual([
    { operation: 'DescribeStream', atMs: 100, tookMs: 40, status: 200, aheadMs: 60_500 },
    {
      operation: 'GetHLSMediaPlaylist',
      detail: 'video',
      atMs: 140,
      tookMs: 0,
      status: 200,
      bytes: 3,
      headers: { 'content-type': 'text/plain' },
    },
  ])
})
