import { expect, test } from 'vitest'
import { startDemo } from '../../src/cli/demo.ts'
import { demoCameras } from '../../src/emulator/config.ts'

test('the demo’s streams are the emulator’s cameras, and the emulator runs until it is disposed of', async () => {
  const demo = await startDemo({})
  const { aws, streams } = demo.config
  expect(streams.map(({ source }) => 'streamName' in source && source.streamName)).toEqual(
    Object.keys(demoCameras),
  )
  const endpoint = aws.endpoint ?? ''
  expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = await fetch(endpoint)
  await answer.body?.cancel()
  await demo[Symbol.asyncDispose]()
  await expect(fetch(endpoint)).rejects.toThrow('fetch failed')
})
