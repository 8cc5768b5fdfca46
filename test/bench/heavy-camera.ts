import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type EncodedTrack, encode, rebased } from '../proof/encoded-track.ts'
import { readInitSegment } from '../proof/init-segment.ts'

/** Constant bit rate, and noise enough that the encoder does not have to fill up. */
const ENCODING =
  '-f lavfi -i testsrc2=size=640x360:rate=25,noise=alls=60:allf=t -t 8 -c:v libx264 -preset ultrafast ' +
  '-pix_fmt yuv420p -g 50 -keyint_min 50 -sc_threshold 0 -bf 0 -b:v 1900k -minrate 1900k -maxrate 1900k ' +
  '-bufsize 1900k -x264-params nal-hrd=cbr -movflags cmaf+empty_moov+frag_keyframe'

const FRAGMENT_MS = 2_000
const WINDOW = 10
const INGEST_MS = 150
const TOKEN = 'CiBoZWF2eQ~~'

/**
 * A camera of 2 Mbit/s behind as much of the KVS protocol as a gateway needs while nothing goes wrong: one
 * session without end. The emulator's clips are small, to keep the repository small; how many viewers a core
 * holds depends on bytes.
 */
export class HeavyCamera {
  readonly #server: Server
  readonly #track: EncodedTrack
  readonly #timescale: number
  readonly #beganMs = Date.now() - 60_000

  private constructor(track: EncodedTrack) {
    this.#track = track
    this.#timescale = readInitSegment(track.init).timescale
    this.#server = createServer((request, response) => this.#serve(request, response))
  }

  static async start(): Promise<HeavyCamera> {
    const camera = new HeavyCamera(await encode(ENCODING))
    await new Promise<void>((resolve) => {
      camera.#server.listen(0, '127.0.0.1', resolve)
    })
    return camera
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return `http://127.0.0.1:${address.port}`
  }

  /** Bytes that a second of it takes, on average. */
  get bytesPerSecond(): number {
    const { fragments } = this.#track
    const bytes = fragments.reduce((sum, { length }) => sum + length, 0)
    return (1000 * bytes) / (fragments.length * FRAGMENT_MS)
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    request.resume()
    const body = this.#answer(pathname.split('/').at(-1) ?? '', searchParams.get('FragmentNumber'))
    if (body === undefined) response.writeHead(404)
    response.end(body)
  }

  #answer(operation: string, fragment: string | null): string | Buffer | undefined {
    switch (operation) {
      case 'getDataEndpoint':
        return JSON.stringify({ DataEndpoint: this.url })
      case 'getHLSStreamingSessionURL': {
        const url = `${this.url}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${TOKEN}`
        return JSON.stringify({ HLSStreamingSessionURL: url })
      }
      case 'getHLSMasterPlaylist.m3u8':
        return this.#master()
      case 'getHLSMediaPlaylist.m3u8':
        return this.#playlist()
      case 'getMP4InitFragment.mp4':
        return this.#track.init
      case 'getMP4MediaFragment.mp4':
        return fragment === null ? undefined : this.#fragment(fragment)
      default:
        return undefined
    }
  }

  #master(): string {
    const { codec } = readInitSegment(this.#track.init)
    const uri = `getHLSMediaPlaylist.m3u8?SessionToken=${TOKEN}&TrackNumber=1`
    const variant = `CODECS="${codec}",RESOLUTION=640x360,FRAME-RATE=25.0,BANDWIDTH=2000000`
    return `#EXTM3U\n#EXT-X-VERSION:1\n#EXT-X-STREAM-INF:${variant}\n${uri}\n`
  }

  #playlist(): string {
    const newest = Math.floor((Date.now() - INGEST_MS - this.#beganMs) / FRAGMENT_MS) - 1
    const session = `SessionToken=${TOKEN}&TrackNumber=1`
    const segments = Array.from({ length: WINDOW }, (_, i) => newest - WINDOW + 1 + i).map(
      (index) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(this.#startMs(index)).toISOString()}
#EXTINF:2.0,
getMP4MediaFragment.mp4?FragmentNumber=${this.#number(index)}&${session}
`,
    )
    return `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:${newest - WINDOW + 1}
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="getMP4InitFragment.mp4?${session}"
${segments.join('')}`
  }

  #startMs(index: number): number {
    return this.#beganMs + index * FRAGMENT_MS
  }

  /** KVS.md, section 3.6, with a random part that is none. */
  #number(index: number): bigint {
    const serverMs = BigInt(this.#startMs(index) + FRAGMENT_MS + INGEST_MS)
    return 2n ** 156n + BigInt(index) * 2n ** 92n + serverMs * 2n ** 28n
  }

  #fragment(number: string): Buffer | undefined {
    const index = Number((BigInt(number) - 2n ** 156n) / 2n ** 92n)
    const { fragments } = this.#track
    const bytes = fragments[index % fragments.length]
    const ticks = (BigInt(this.#startMs(index)) * BigInt(this.#timescale)) / 1000n
    return bytes === undefined ? undefined : rebased(bytes, () => ticks)
  }
}
