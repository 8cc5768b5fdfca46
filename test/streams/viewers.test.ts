import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { Viewers } from '../../src/streams/viewers.ts'

test('a wall watches many streams over one connection, which is listened to once', () => {
  const connection = new EventEmitter()
  const streams = Array.from({ length: 36 }, () => new Viewers())
  for (const nowMs of [0, 1000]) for (const viewers of streams) viewers.seen(connection, nowMs)

  expect(connection.listenerCount('close')).toBe(1)
  expect(streams.map((viewers) => viewers.count(1000, 500))).toEqual(streams.map(() => 1))
  connection.emit('close')
  expect(streams.map((viewers) => viewers.count(1000, 500))).toEqual(streams.map(() => 0))
})
