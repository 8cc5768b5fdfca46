import {
  GetMediaForFragmentListCommand,
  type GetMediaForFragmentListCommandOutput,
} from '@aws-sdk/client-kinesis-video-archived-media'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { causes, causesConfig } from '../../src/emulator/causes.ts'
import { mediaClient, NOON, type Rig, rig } from './support/client.ts'
import { decode } from './support/ffmpeg.ts'

/** One for all: a camera for each cause. */
let it: Rig
beforeAll(async () => {
  it = await rig({ config: causesConfig(Object.keys(causes(NOON)), NOON) })
})
afterAll(() => it[Symbol.asyncDispose]())

const ask = (cause: string, numbers: readonly string[]) =>
  mediaClient(it.emulator.url).send(
    new GetMediaForFragmentListCommand({ StreamName: `cause-${cause}`, Fragments: [...numbers] }),
  )

async function bodyOf({ Payload }: GetMediaForFragmentListCommandOutput): Promise<Buffer> {
  return Buffer.from((await Payload?.transformToByteArray()) ?? [])
}

const newest = (cause: string, count = 1): readonly string[] =>
  it.emulator.control.fragments(`cause-${cause}`, count).map(({ number }) => number)

const chunkOf = async (cause: string): Promise<Buffer> => bodyOf(await ask(cause, newest(cause)))

const OPEN_SEGMENT = Buffer.from('1853806701ffffffffffffff', 'hex')
const CODEC_PRIVATE = Buffer.from('63a2', 'hex')
const START_CODE = Buffer.from('00000001', 'hex')

/** What the head of a chunk declares, before its cluster. */
function head(chunk: Buffer): Buffer {
  return chunk.subarray(0, chunk.indexOf(Buffer.from('1f43b675', 'hex')))
}

/** The first block of the cluster, from its track number on: number, time, flags, frame. */
function firstBlock(chunk: Buffer): Buffer {
  const cluster = head(chunk).length
  return chunk.subarray(chunk.indexOf(Buffer.from('a301', 'hex'), cluster) + 9)
}

test.each(['healthy', 'hevc', 'sound-offset'])('%s: ffmpeg decodes a fragment', async (cause) => {
  const answer = await ask(cause, newest(cause))
  expect(answer.ContentType).toBe('video/webm')
  expect(await decode(await bodyOf(answer))).toBe('')
})

test('the first block is of a key frame, but for cameras that cut by time', async () => {
  const flags = async (cause: string): Promise<number> =>
    firstBlock(await chunkOf(cause)).readUInt8(3)
  expect(await flags('healthy')).toBe(0x80)
  expect(await flags('late-key-frames')).toBe(0)
})

test('a chunk has the form of the service’s own', async () => {
  const [number = ''] = newest('healthy')
  const chunk = await bodyOf(await ask('healthy', [number]))
  expect(chunk.readUInt32BE()).toBe(0x1a45dfa3)
  expect(chunk.indexOf(OPEN_SEGMENT)).toBeGreaterThan(0)
  // One Tag of 235 bytes, as in all captures. KVS.md, section 6.5.
  expect(chunk.indexOf(Buffer.from('1254c367100000eb7373100000e5', 'hex'))).toBeGreaterThan(0)
  expect(chunk.includes(`AWS_KINESISVIDEO_FRAGMENT_NUMBER`)).toBe(true)
  expect(chunk.includes(number)).toBe(true)
  const [fragment] = it.emulator.control.fragments('cause-healthy', 1)
  expect(chunk.includes(((fragment?.producerMs ?? 0) / 1000).toFixed(3))).toBe(true)
})

test('several fragments come one after another, each with its own head', async () => {
  const chunks = await bodyOf(await ask('healthy', newest('healthy', 3)))
  expect(chunks.toString('latin1').split(OPEN_SEGMENT.toString('latin1'))).toHaveLength(4)
})

test('codecs and private data are those of the producer', async () => {
  const heads = async (cause: string): Promise<Buffer> => head(await chunkOf(cause))
  expect((await heads('healthy')).includes('V_MPEG4/ISO/AVC')).toBe(true)
  expect((await heads('hevc')).includes('V_MPEGH/ISO/HEVC')).toBe(true)
  expect((await heads('unsupported-pictures')).includes('V_VP8')).toBe(true)
  expect((await heads('g711-sound')).includes('A_MS/ACM')).toBe(true)
  expect((await heads('pcm-sound')).includes('A_PCM/INT/LIT')).toBe(true)
  expect((await heads('silent-track')).includes('A_AAC')).toBe(true)
  const privates = async (cause: string): Promise<number> =>
    (await heads(cause)).toString('latin1').split(CODEC_PRIVATE.toString('latin1')).length - 1
  expect(await privates('healthy')).toBe(2)
  expect(await privates('no-private-data')).toBe(1)
  expect(await privates('no-sound-private-data')).toBe(1)
})

test('Annex B has start codes in private data and frames', async () => {
  const chunk = await chunkOf('annex-b')
  const at = head(chunk).indexOf(CODEC_PRIVATE)
  expect(chunk.subarray(at + 3, at + 7)).toEqual(START_CODE)
  expect(firstBlock(chunk).subarray(4, 8)).toEqual(START_CODE)
})

test.each([
  ['kms-denied', '4500'],
  ['kms-key-disabled', '4501'],
])('%s is told as error %s under 200', async (cause, id) => {
  const chunk = await chunkOf(cause)
  expect(chunk.includes(`AWS_KINESISVIDEO_ERROR_ID`)).toBe(true)
  expect(chunk.includes(id)).toBe(true)
})

test('a number that is not there is told in its place', async () => {
  const chunks = await bodyOf(await ask('healthy', ['12', ...newest('healthy')]))
  expect(chunks.includes('FRAGMENT_NOT_FOUND')).toBe(true)
  expect(chunks.includes('AWS_KINESISVIDEO_PRODUCER_TIMESTAMP')).toBe(true)
})

test('it can be denied, and others may have used up the points', async () => {
  await expect(ask('denied-get-media-for-fragment-list', ['1'])).rejects.toThrow(
    'kinesisvideo:GetMediaForFragmentList',
  )
  await expect(ask('reader-takes-calls', ['1'])).rejects.toMatchObject({
    name: 'ClientLimitExceededException',
  })
})
