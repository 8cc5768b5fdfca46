/** What is asked of the SDK, and what it answers, in our words. */
import {
  type Fragment,
  GetHLSStreamingSessionURLCommand,
  ListFragmentsCommand,
  type ListFragmentsOutput,
} from '@aws-sdk/client-kinesis-video-archived-media'
import type { Playback, StoredFragment, StoredRange } from './kvs-api.ts'
import type { KvsSource, StreamIdentity } from './kvs-source.ts'
import { PAGE_RESULTS } from './quota.ts'

/**
 * Asks for a session, with all that has a default said explicitly, because the defaults make players reset at every
 * fragment.
 */
export function sessionCommand(
  source: KvsSource,
  playback: Playback,
): GetHLSStreamingSessionURLCommand {
  return new GetHLSStreamingSessionURLCommand({
    ...identity(source),
    PlaybackMode: playback.mode,
    HLSFragmentSelector: {
      FragmentSelectorType: source.fragmentSelectorType,
      ...(playback.mode === 'LIVE' ? {} : { TimestampRange: timestampRange(playback) }),
    },
    ContainerFormat: source.containerFormat,
    DiscontinuityMode: source.discontinuityMode,
    // EXT-X-PROGRAM-DATE-TIME: what the timeline is built from.
    DisplayFragmentTimestamp: 'ALWAYS',
    Expires: Math.round(source.expiresMs / 1000),
    MaxMediaPlaylistFragmentResults:
      playback.mode === 'ON_DEMAND' ? playback.fragmentResults : source.fragmentResults,
  })
}

export function listCommand(
  source: KvsSource,
  range: StoredRange,
  token: string | undefined,
  results = PAGE_RESULTS,
): ListFragmentsCommand {
  return new ListFragmentsCommand({
    ...identity(source),
    MaxResults: results,
    FragmentSelector: {
      FragmentSelectorType: `${range.clock}_TIMESTAMP`,
      TimestampRange: timestampRange(range),
    },
    NextToken: token,
  })
}

function timestampRange({ startMs, endMs }: { readonly startMs: number; readonly endMs: number }) {
  return {
    StartTimestamp: new Date(startMs),
    EndTimestamp: new Date(endMs),
  }
}

/** Returns a page's fragments, in no order; without those whose number or dates are missing. */
export function storedFragments({ Fragments = [] }: ListFragmentsOutput): StoredFragment[] {
  return Fragments.flatMap(storedFragment)
}

/** Returns none when what matters of it is missing, because other fragments of the page may be fine. */
function storedFragment(fragment: Fragment): StoredFragment[] {
  const { FragmentNumber = '', ProducerTimestamp, ServerTimestamp } = fragment
  if (!/^\d{1,128}$/.test(FragmentNumber)) return []
  const [producerMs, serverMs] = [ProducerTimestamp?.getTime(), ServerTimestamp?.getTime()]
  if (producerMs === undefined || serverMs === undefined) return []
  if (Number.isNaN(producerMs) || Number.isNaN(serverMs)) return []
  return [
    {
      number: BigInt(FragmentNumber),
      producerMs,
      serverMs,
      lengthMs: fragment.FragmentLengthInMilliseconds ?? 0,
      bytes: fragment.FragmentSizeInBytes ?? 0,
    },
  ]
}

export function byNumber(a: StoredFragment, b: StoredFragment): number {
  if (a.number === b.number) return 0
  return a.number < b.number ? -1 : 1
}

export function identity(stream: StreamIdentity): { StreamName: string } | { StreamARN: string } {
  return stream.streamArn === undefined
    ? { StreamName: stream.streamName }
    : { StreamARN: stream.streamArn }
}
