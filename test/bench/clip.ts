import { Clips } from '../../src/archive/clip/clips.ts'
import type { RecordedFragment, RecordedTrack } from '../../src/archive/recording.ts'
import { systemClock } from '../../src/base/clock.ts'
import { readInit } from '../../src/formats/mp4/init.ts'
import { type EncodedTrack, encode, rebased } from '../proof/encoded-track.ts'
import { type BenchReport, table } from './bench-report.ts'

/** 30 pictures and 47 blocks of sound a second, 2 Mbit/s, fragments of two seconds. */
const VIDEO =
  '-f lavfi -i testsrc2=size=640x360:rate=30,noise=alls=60:allf=t -t 8 -c:v libx264 -preset ultrafast ' +
  '-pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 -bf 0 -b:v 1900k -minrate 1900k -maxrate 1900k ' +
  '-bufsize 1900k -x264-params nal-hrd=cbr -movflags cmaf+empty_moov+frag_keyframe'
const AUDIO =
  '-f lavfi -i sine=frequency=440:sample_rate=48000 -t 8 -c:a aac -b:a 64k ' +
  '-frag_duration 2000000 -movflags cmaf+empty_moov'

const FRAGMENT_MS = 2_000
const START_MS = Date.UTC(2025, 0, 1)
const MIB = 2 ** 20

/** From a request for a clip to its first byte, for which all of it is read once, and how fast the rest follows. */
export async function run({ minutes = [0.5, 10, 60] } = {}): Promise<BenchReport> {
  const tracks = await Promise.all([encode(VIDEO), encode(AUDIO)])
  const rows = []
  for (const length of minutes) rows.push(await measure(tracks, length))
  return { name: 'clip', what: 'clips of 2 Mbit/s whose fragments are in memory', rows }
}

async function measure(
  tracks: readonly EncodedTrack[],
  minutes: number,
): Promise<Record<string, string | number>> {
  const fragments = record(tracks, (minutes * 60_000) / FRAGMENT_MS)
  const { signal } = new AbortController()
  const clips = new Clips({
    clock: systemClock,
    maxMs: () => Number.POSITIVE_INFINITY,
    list: () => Promise.resolve(fragments),
  })
  const began = performance.now()
  const range = { startMs: START_MS, endMs: START_MS + minutes * 60_000 }
  const { clip } = await clips.open('lobby', range, signal)
  let [firstMs, firstBytes, bytes, mostBytes] = [0, 0, 0, 0]
  for await (const chunk of clip.read(0, clip.size, signal)) {
    if (bytes === 0) [firstMs, firstBytes] = [performance.now() - began, chunk.length]
    bytes += chunk.length
    mostBytes = Math.max(mostBytes, process.memoryUsage().rss)
  }
  const restS = (performance.now() - began - firstMs) / 1000
  if (bytes !== clip.size) throw new Error(`${bytes} bytes instead of ${clip.size}`)
  return {
    minutes,
    'size MiB': clip.size / MIB,
    'index KiB': firstBytes / 1024,
    'first byte ms': firstMs,
    'then MiB/s': (bytes - firstBytes) / MIB / restS,
    'resident MiB': mostBytes / MIB,
  }
}

/** The tracks over and over. Each fragment is made anew when it is asked for, as if it were fetched. */
function record(tracks: readonly EncodedTrack[], count: number): RecordedFragment[] {
  const parsed = tracks.map((track) => ({ track, init: readInit(track.init) }))
  return Array.from({ length: count }, (_, i) => ({
    number: BigInt(i),
    startMs: START_MS + i * FRAGMENT_MS,
    durationMs: FRAGMENT_MS,
    discontinuity: false,
    tracks: () =>
      Promise.resolve(
        parsed.map(({ track, init }): RecordedTrack => {
          const baseTicks = ((START_MS + i * FRAGMENT_MS) / 1000) * init.timescale
          const bytes = track.fragments[i % track.fragments.length] ?? Buffer.alloc(0)
          const placed = rebased(bytes, () => BigInt(baseTicks))
          return { init, initBytes: track.init, bytes: placed, baseTicks }
        }),
      ),
  }))
}

if (import.meta.main) console.log(table(await run()))
