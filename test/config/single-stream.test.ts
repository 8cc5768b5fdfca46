import { expect, test } from 'vitest'
import { configForStream } from '../../src/config/single-stream.ts'
import { parse } from './support.ts'

test('is the same as a file with that one stream', () => {
  expect(configForStream({ stream: 'lobby-camera', region: 'us-west-2' })).toEqual(
    parse(
      'aws: { region: us-west-2 }\nstreams: { lobby-camera: { kvs: { streamName: lobby-camera } } }',
    ),
  )
})

test('leaves the region to the SDK when it is not given', () => {
  expect(configForStream({ stream: 'a', region: undefined }).aws.region).toBeUndefined()
})

test.each(['', 'a b', '__proto__x/', `\${HOME}`, '..'])('refuses the name %j', (stream) => {
  expect(() => configForStream({ stream, region: 'us-west-2' })).toThrow('faults')
})
