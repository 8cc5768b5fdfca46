import { expect, test } from 'vitest'
import { notYetAvailable, notYetLine } from '../../src/config/availability.ts'
import { ONE_STREAM, parse } from './support.ts'

const lines = (text: string) =>
  notYetAvailable(parse(text)).map((key) => notYetLine('gateway.yaml', key))
const stream = (keys: string) => `streams: { lobby: { kvs: { streamName: x }, ${keys} } }`

test('has nothing to say of a plain stream', () => {
  expect(lines(ONE_STREAM)).toEqual([])
})

test('names what a stream asks for', () => {
  expect(lines(stream('outputs: [hls, ts, dash]'))).toEqual([
    'gateway.yaml: streams.lobby.outputs: ts, dash: not available yet',
  ])
})

test('a default counts for each stream that takes it', () => {
  const text = `defaults: { outputs: [dash] }
streams:
  a: { kvs: { streamName: x } }
  b: { kvs: { streamName: y }, outputs: [hls] }
`
  expect(lines(text)).toEqual(['gateway.yaml: streams.a.outputs: dash: not available yet'])
})
