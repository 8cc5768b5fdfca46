import { createHash } from 'node:crypto'
import { GatewayError } from '../../base/errors.ts'
import type { MediaPiece, MovieLayout } from '../../formats/mp4/progressive/progressive-movie.ts'
import type { RecordedFragment, RecordedTrack } from '../recording.ts'
import { readAhead } from './read-ahead.ts'

/** A fragment of a clip, without its bytes. */
export interface ClipFragment {
  readonly recorded: RecordedFragment
  /** The bytes of all its tracks. */
  readonly bytes: number
}

/** How much may be under way beyond the fragment that is being sent. */
const MAX_AHEAD = 3
const MAX_AHEAD_BYTES = 4 * 1024 * 1024

/** How much each fragment and each piece takes, at a guess. */
const BYTES_PER_PIECE = 200
const ID_LENGTH = 24

/** One progressive MP4 of a recorded range: its layout, whose media data are read from the recording as they are sent. */
export class RecordedClip {
  /** Names the content: equal for equal bytes, different otherwise; safe in an entity tag. */
  readonly id: string
  /** The kind of the clip: `audio` when there is no picture. */
  readonly kind: 'video' | 'audio'
  /** Whether the same range will give the same clip for ever, as far as we know. */
  readonly isSettled: boolean
  readonly #layout: MovieLayout
  readonly #fragments: readonly ClipFragment[]

  constructor(layout: MovieLayout, fragments: readonly ClipFragment[], isSettled: boolean) {
    this.#layout = layout
    this.#fragments = fragments
    this.isSettled = isSettled
    this.id = idOf(layout, fragments)
    this.kind = layout.pieces.some(({ rendition }) => rendition === 'video') ? 'video' : 'audio'
  }

  /** The size of the whole file, in bytes. */
  get size(): number {
    return this.#layout.size
  }

  /** How many bytes it takes to keep it. */
  get footprint(): number {
    const { head, pieces } = this.#layout
    return head.length + (pieces.length + this.#fragments.length) * BYTES_PER_PIECE
  }

  /**
   * Yields the bytes from `start` on and before `end`, fetched as they are asked for. Rejects when they cannot be had:
   * what has been sent by then is no whole file.
   */
  async *read(start: number, end: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { head } = this.#layout
    if (start < head.length) yield head.subarray(start, Math.min(end, head.length))
    const wanted = this.#piecesWithin(start, end)
    const fetched = readAhead(
      Map.groupBy(wanted, ({ fragment }) => fragment),
      {
        fetch: async ([index, pieces], limited) => ({
          pieces,
          tracks: await this.#fetch(index, limited),
        }),
        mayFetch: ([next], underWay) => this.#mayFetch([next, ...underWay.map(([index]) => index)]),
        signal,
      },
    )
    for await (const { pieces, tracks } of fetched) {
      for (const piece of pieces)
        yield cut(bytesOf(piece, tracks), start - piece.offset, end - piece.offset)
    }
  }

  #piecesWithin(start: number, end: number): MediaPiece[] {
    return this.#layout.pieces.filter(
      (piece) => piece.offset < end && piece.offset + piece.length > start,
    )
  }

  #mayFetch(fragments: readonly number[]): boolean {
    const bytes = fragments.reduce((sum, index) => sum + (this.#fragments[index]?.bytes ?? 0), 0)
    return fragments.length <= MAX_AHEAD && bytes <= MAX_AHEAD_BYTES
  }

  /**
   * Fetches a fragment again, and refuses other bytes than the strong entity tag was given for, because they would make
   * a file out of two.
   */
  async #fetch(index: number, signal: AbortSignal): Promise<readonly RecordedTrack[]> {
    const fragment = this.#fragments[index]
    const tracks = (await fragment?.recorded.tracks(signal)) ?? []
    if (totalBytes(tracks) === fragment?.bytes) return tracks
    throw new GatewayError('upstream_unavailable', 'A fragment of the clip has changed upstream')
  }
}

export function totalBytes(tracks: readonly RecordedTrack[]): number {
  return tracks.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function bytesOf({ rendition, source }: MediaPiece, tracks: readonly RecordedTrack[]): Buffer {
  if (Buffer.isBuffer(source)) return source
  const track = tracks.find(({ init }) => init.rendition === rendition)
  if (track !== undefined) return track.bytes.subarray(source.start, source.end)
  throw new GatewayError('upstream_unavailable', 'A fragment of the clip has changed upstream')
}

function cut(bytes: Buffer, start: number, end: number): Buffer {
  return bytes.subarray(Math.max(0, start), Math.max(0, end))
}

/**
 * Names a clip by its head, which says when and how large every sample is, and by the numbers, which name whose bytes
 * they are.
 */
function idOf({ head }: MovieLayout, fragments: readonly ClipFragment[]): string {
  const hash = createHash('sha256').update(head)
  for (const { recorded, bytes } of fragments) hash.update(`${recorded.number} ${bytes}\n`)
  return hash.digest('hex').slice(0, ID_LENGTH)
}
