import type { FragmentBody } from '../../store/fragment-body.ts'
import type { RenditionName, Segment, Snapshot } from '../../timeline/fragment.ts'

/** As much of a live stream as a list of its past needs. */
export interface LiveTail {
  snapshot(): Snapshot | undefined
  changed(signal: AbortSignal): Promise<void>
  fragment(
    rendition: RenditionName,
    msn: number,
    id: string,
    signal: AbortSignal,
  ): FragmentBody | Promise<FragmentBody>
  init(rendition: RenditionName, id: string): Buffer | undefined
  /** Starts it if need be; resolves once it shows something. */
  ready(signal: AbortSignal): Promise<void>
}

/** What it shows of the stream's own source: a slate or a backup is no part of what that recorded. */
export function ownSegments(tail: LiveTail): readonly Segment[] {
  return (tail.snapshot()?.segments ?? []).filter(({ source }) => source === 'camera')
}
