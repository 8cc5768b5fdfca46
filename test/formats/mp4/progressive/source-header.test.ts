import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { endOf, readBoxes, theOnly } from '../../../../src/formats/mp4/boxes/box.ts'
import { readInit } from '../../../../src/formats/mp4/init.ts'
import { readMedia } from '../../../../src/formats/mp4/media.ts'
import { ownMedia } from '../../../../src/formats/mp4/own-form.ts'
import { ownInit } from '../../../../src/formats/mp4/own-init.ts'
import { rewriteMedia } from '../../../../src/formats/mp4/rewrite.ts'
import { splitInit, splitMedia } from '../../../../src/formats/mp4/split.ts'
import { runTool } from '../../../proof/ffmpeg.ts'
import { assemble, layOut } from '../../../support/movie-file.ts'
import { hasTool } from '../../../support/tools.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'source-header-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A picture that is white from 1.0 to 1.2 s, and a tone for as long. */
const FLASH = 'color=black:s=160x90:r=25:d=3,drawbox=c=white:t=fill:enable=between(t\\,0.99\\,1.19)'
const BEEP = 'aevalsrc=if(between(t\\,1\\,1.2)\\,sin(2000*PI*t)\\,0):s=48000:d=3'
const H264 = [
  '-c:v',
  'libx264',
  '-threads',
  '1',
  '-preset',
  'veryfast',
  '-pix_fmt',
  'yuv420p',
  '-g',
  '25',
]
const FRAGMENTED = '+frag_keyframe+default_base_moof+delay_moov+write_colr'

interface Source {
  readonly video?: readonly string[]
  /** Options of the input. */
  readonly sound?: readonly string[]
  readonly output?: readonly string[]
}

/** Fragments of both tracks in one file, as ffmpeg packs them, edit lists included. */
async function encode({ video = [], sound = [], output = [] }: Source): Promise<Buffer> {
  const inputs = ['-f', 'lavfi', '-i', FLASH, ...sound, '-f', 'lavfi', '-i', BEEP]
  const codecs = [...H264, ...video, '-c:a', 'aac', ...output]
  const args = ['-nostdin', '-v', 'error', ...inputs, ...codecs, '-movflags', FRAGMENTED]
  const { stdout, stderr, code } = await runTool('ffmpeg', [...args, '-f', 'mp4', 'pipe:1'])
  if (code !== 0) throw new Error(stderr.join(' '))
  return stdout
}

/** The clip that is made of them, once both tracks were moved to a place in time. */
function clipOf(file: Buffer): Buffer {
  const boxes = readBoxes(file).filter(({ type }) => type !== 'mfra')
  const moovEnd = endOf(theOnly(boxes, 'moov', 'file'))
  const media = file.subarray(
    moovEnd,
    boxes.reduce((end, one) => Math.max(end, endOf(one)), 0),
  )
  const tracks = splitInit(file.subarray(0, moovEnd)).map((one) => {
    const initBytes = ownInit(one)
    const init = readInit(initBytes)
    const own = ownMedia(splitMedia(media, init) ?? Buffer.alloc(0), init)
    const baseTicks = readMedia(own, init).baseTicks + 1_767_225_600 * init.timescale
    return { init, initBytes, bytes: rewriteMedia(own, { baseTicks, sequenceNumber: 1 }) }
  })
  return assemble(layOut([tracks]), [tracks])
}

/** When the first white picture and the first sound are, in seconds. */
async function flashAndBeep(bytes: Buffer): Promise<{ flashS: number; beepS: number }> {
  const file = join(folder, 'file.mp4')
  await writeFile(file, bytes)
  const pictures = 'signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-'
  const looked = [
    '-nostdin',
    '-v',
    'error',
    '-i',
    file,
    '-fps_mode',
    'passthrough',
    '-vf',
    pictures,
  ]
  const { stdout } = await runTool('ffmpeg', [...looked, '-an', '-f', 'null', '-'])
  const seen = [...stdout.toString().matchAll(/pts_time:([\d.]+)\s+lavfi\S+=([\d.]+)/g)]
  const flash = seen.find(([, , luma]) => Number(luma) > 128)
  const heard = ['-nostdin', '-v', 'info', '-i', file, '-af', 'silencedetect=n=-30dB:d=0.05']
  const { stderr } = await runTool('ffmpeg', [...heard, '-vn', '-f', 'null', '-'])
  const beep = /silence_end: ([\d.]+)/.exec(stderr.join('\n'))
  return { flashS: Number(flash?.[1]), beepS: Number(beep?.[1]) }
}

const probed = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string(),
      sample_aspect_ratio: z.string().optional(),
      color_space: z.string().optional(),
      color_primaries: z.string().optional(),
      color_transfer: z.string().optional(),
      side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
    }),
  ),
})

async function look(bytes: Buffer): Promise<object | undefined> {
  const args = ['-v', 'error', '-show_streams', '-of', 'json', '-']
  const { stdout } = await runTool('ffprobe', args, { input: bytes })
  const { streams } = probed.parse(JSON.parse(stdout.toString()))
  return streams.find(({ codec_type }) => codec_type === 'video')
}

describe.skipIf(!hasTool('ffmpeg'))('a clip keeps what the media say', () => {
  test.each<[string, Source]>([
    ['nothing special', { video: ['-bf', '0'] }],
    ['B-frames', { video: ['-bf', '3'] }],
    ['sound that begins late', { video: ['-bf', '2'], sound: ['-itsoffset', '0.4'] }],
    ['sound that begins early', { video: ['-bf', '2'], sound: ['-itsoffset', '-0.3'] }],
  ])('%s: flash and beep are as far apart as in the source', async (_, source) => {
    const file = await encode(source)
    const [before, after] = [await flashAndBeep(file), await flashAndBeep(clipOf(file))]
    expect(before.flashS).toBeGreaterThan(0.5)
    expect(Math.abs(after.beepS - after.flashS - (before.beepS - before.flashS))).toBeLessThan(0.01)
  })

  test.each<[string, readonly string[], object]>([
    ['pixels that are not square', ['-vf', 'setsar=4/3'], { sample_aspect_ratio: '4:3' }],
    [
      'colours',
      ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'],
      { color_primaries: 'bt2020', color_transfer: 'smpte2084', color_space: 'bt2020nc' },
    ],
  ])('%s', async (_, video, expected) => {
    const file = await encode({ video })
    const source = await look(file)
    expect(source).toMatchObject(expected)
    expect(await look(clipOf(file))).toEqual(source)
  })

  test('pictures that are to be turned', async () => {
    const file = Buffer.from(await encode({}))
    const quarterTurn = [0, 0x10000, 0, -0x10000, 0, 0, 90 * 0x10000, 0, 0x40000000]
    const matrixAt = file.indexOf('tkhd') + 44
    for (const [i, value] of quarterTurn.entries()) file.writeInt32BE(value, matrixAt + 4 * i)
    const source = await look(file)
    expect(source).toMatchObject({ side_data_list: [{ rotation: -90 }] })
    expect(await look(clipOf(file))).toEqual(source)
  })
})
