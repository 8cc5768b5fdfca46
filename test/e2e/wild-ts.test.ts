import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin } from '../support/foreign-origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { hasTool } from '../support/tools.ts'
import { type Site, startSite } from './support/site.ts'

const PACKET = 188

/** What is done to the segments of an origin, in the order of the list; the control leaves them alone. */
type Kind = (segments: readonly Buffer[]) => readonly Buffer[]

/** The list cuts the same stream elsewhere, without regard to frames. */
const cut =
  (packets: number): Kind =>
  (segments) => {
    const whole = Buffer.concat(segments)
    let at = 0
    const ends = segments.map((segment, i) => {
      at += segment.length
      return i === segments.length - 1 ? at : at + packets * PACKET
    })
    return ends.map((end, i) => whole.subarray(i === 0 ? 0 : ends[i - 1], end))
  }

const KINDS: Readonly<Record<string, Kind>> = {
  'nothing (control)': (segments) => segments,
  'a cut within the first picture': cut(2),
  'a cut within the second picture': cut(40),
  'junk before, between and after packets': (segments) =>
    segments.map((segment) => {
      const half = PACKET * Math.floor(segment.length / PACKET / 2)
      const junk = Buffer.alloc(61, 0x11)
      return Buffer.concat([junk, segment.subarray(0, half), junk, segment.subarray(half), junk])
    }),
  'an ID3 tag in front': (segments) => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\x3f', 'latin1'), Buffer.alloc(63)])
    return segments.map((segment) => Buffer.concat([tag, segment]))
  },
}

describe.skipIf(!hasTool('ffmpeg'))('MPEG-TS of another origin', () => {
  let dir = ''
  let own: readonly { readonly file: string; readonly bytes: Buffer }[] = []

  beforeAll(async () => {
    dir = await makeHls('MPEG-TS')
    own = readdirSync(dir)
      .filter((file) => file.endsWith('.ts'))
      .toSorted((a, b) => numberOf(a) - numberOf(b))
      .map((file) => ({ file, bytes: readFileSync(join(dir, file)) }))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  /** A gateway that follows the origin for a while. */
  async function shown(kind: Kind, look: (site: Site) => Promise<void>): Promise<void> {
    const segments = kind(own.map(({ bytes }) => bytes))
    for (const [i, { file }] of own.entries()) writeFileSync(join(dir, file), segments[i] ?? '')
    const clock = new ManualClock()
    await using origin = await ForeignOrigin.start({ clock, dir })
    await using site = await startSite({ clock, url: origin.url('master.m3u8') })
    await site.pass(12_000)
    await look(site)
  }

  test.each(Object.entries(KINDS))('%s: all of it is shown', async (_what, kind) => {
    await shown(kind, async (site) => {
      const verdict = await site.verdict()
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(verdict.segments).toBeGreaterThan(8)
      for (const track of Object.values(verdict.decoded)) {
        expect(track).toMatchObject({ warnings: [], gaps: [], runs: 1 })
      }
      expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason: null })
    })
  })

  test('a lost packet in each segment costs what it held, and status, log and metric say so', async () => {
    const lossy: Kind = (segments) =>
      segments.map((segment) => {
        const at = PACKET * Math.floor(segment.length / PACKET / 2)
        return Buffer.concat([segment.subarray(0, at), segment.subarray(at + PACKET)])
      })
    await shown(lossy, async (site) => {
      const status = await site.admin.stream('lobby')
      expect(status).toMatchObject({ state: 'live', reason: 'upstream_unsupported_media' })
      const verdict = await site.verdict()
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(site.lines.map(({ event }) => event)).toContain('fragments lack something')
      expect(await site.admin.metric('kvs_gateway_incomplete_fragments_total')).toBeGreaterThan(3)
    })
  })
})

/** The PID of the sound, as ffmpeg gives it. */
const SOUND_PID = 0x101

describe.skipIf(!hasTool('ffmpeg'))('sound that is not there', () => {
  type Change = (packet: Buffer) => Buffer | undefined
  const scrambled: Change = (packet) => {
    const changed = Buffer.from(packet)
    changed.writeUInt8(packet.readUInt8(3) | 0x80, 3)
    return changed
  }
  test.each<[string, Change, string, string]>([
    [
      'announced and never sent',
      () => undefined,
      'no_media',
      'sound that is announced and does not come',
    ],
    ['scrambled', scrambled, 'upstream_unsupported_media', 'sound that is scrambled'],
  ])(
    'because it is %s: the picture is shown, and that is said',
    async (_, change, reason, what) => {
      const dir = await makeHls('MPEG-TS', ['-t', '30'])
      const clock = new ManualClock()
      await using origin = await ForeignOrigin.start({ clock, dir })
      origin.repack = (bytes) =>
        Buffer.concat(
          Array.from({ length: bytes.length / PACKET }, (__, i) => {
            const packet = bytes.subarray(i * PACKET, (i + 1) * PACKET)
            const isSound = (packet.readUInt16BE(1) & 0x1fff) === SOUND_PID
            return isSound ? (change(packet) ?? Buffer.alloc(0)) : packet
          }),
        )
      await using site = await startSite({ clock, url: origin.url('master.m3u8') })
      await site.pass(12_000)
      const verdict = await site.verdict()
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(verdict.decoded['video']).toMatchObject({ warnings: [], gaps: [], runs: 1 })
      expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason })
      const told = site.lines.filter(({ event }) => event === 'fragments lack something')
      expect(told.map(({ fields }) => fields['what'])).toEqual([what])
      rmSync(dir, { recursive: true, force: true })
    },
  )
})

describe.skipIf(!hasTool('ffmpeg'))('sound that we cannot serve', () => {
  test('leaves the picture alone, and is said', async () => {
    const dir = await makeHls('MPEG-TS', ['-c:a', 'ac3'])
    const clock = new ManualClock()
    await using origin = await ForeignOrigin.start({ clock, dir })
    await using site = await startSite({ clock, url: origin.url('master.m3u8') })
    await site.pass(12_000)
    const verdict = await site.verdict()
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(Object.keys(verdict.decoded)).toEqual(['video'])
    const status = await site.admin.stream('lobby')
    expect(status).toMatchObject({ state: 'live', reason: 'upstream_unsupported_media' })
    const told = site.lines.filter(({ event }) => event === 'fragments lack something')
    expect(told.map(({ fields }) => fields['what'])).toEqual(['sound in AC-3'])
    rmSync(dir, { recursive: true, force: true })
  })
})

function numberOf(file: string): number {
  return Number(/(\d+)\.ts$/.exec(file)?.[1])
}
