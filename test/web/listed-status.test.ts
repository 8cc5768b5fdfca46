import { expect, test } from 'vitest'
import type { FeedStream } from '../../src/web/pages/feed.js'
import { listedStatus } from '../../src/web/pages/listed-status.js'

const NOW = new Date(2026, 0, 1, 12, 5).getTime()
const lobby: FeedStream = {
  name: 'lobby',
  state: 'live',
  reason: null,
  since: NOW - 60_000,
  source: 'camera',
  lastFragmentAt: NOW - 60_000,
  targetDuration: 2,
  renditions: ['video'],
  past: { dvrMs: 0, archive: false, clip: false },
}

test.each<[Partial<FeedStream>, string, string]>([
  [{}, 'live', 'Live'],
  [{ source: 'backup' }, 'live', 'Live · backup'],
  [{ state: 'idle' }, 'idle', 'Starts when somebody watches'],
  [{ state: 'starting', since: NOW - 1000 }, 'starting', 'Starting'],
  [{ state: 'slate' }, 'slate', 'Away since 12:04:00'],
  [{ state: 'stale' }, 'stale', 'No picture for 1 min · since 12:04:00'],
  [
    { state: 'offline', reason: 'no_media' },
    'offline',
    'Offline since 12:04:00 · The camera is not sending a picture.',
  ],
  [
    { state: 'failed', reason: 'upstream_no_retention' },
    'failed',
    'Cannot be shown · The camera’s stream is set up to keep no data.',
  ],
])('a stream that is %j in the list', (change, tone, words) => {
  expect(listedStatus({ ...lobby, ...change }, NOW)).toEqual({ tone, words })
})
