import type {
  Call,
  HlsObservations,
  KvsObservations,
  ListedFragments,
} from '../../src/trace/trace.ts'

const NOW_MS = Date.UTC(2026, 5, 1, 12)

export const call = (operation: string, overrides: Partial<Call> = {}): Call => ({
  operation,
  atMs: 0,
  tookMs: 50,
  status: 200,
  aheadMs: 0,
  ...overrides,
})

export const refused = (
  operation: string,
  status: number | undefined,
  name: string,
  message = 'no',
): Call => {
  const { status: _, ...rest } = call(operation)
  return {
    ...rest,
    ...(status === undefined ? {} : { status }),
    fault: { name, message },
  }
}

/** Fragments of so long, each of which begins where the one before ends, unless `change` says otherwise. */
export function listing(
  change: (
    i: number,
  ) => { producerMs?: number; serverMs?: number; connection?: number } | null = () => ({}),
  { count = 60, lengthMs = 2000 } = {},
): ListedFragments {
  const startMs = NOW_MS - count * lengthMs
  const fragments = Array.from({ length: count }, (_, i) => {
    const moved = change(i)
    if (moved === null) return []
    const beginMs = startMs + i * lengthMs
    const serverMs = beginMs + 200 + (moved.serverMs ?? 0)
    const counter = BigInt((moved.connection ?? 0) * 1000 + i)
    return [
      {
        number: String(2n ** 156n + (counter << 92n) + (BigInt(serverMs) << 28n)),
        producerMs: beginMs + (moved.producerMs ?? 0),
        serverMs,
        lengthMs: lengthMs - 40,
        bytes: 250_000,
      },
    ]
  }).flat()
  return { startMs: NOW_MS - 300_000, endMs: NOW_MS, isWhole: true, fragments }
}

/** A stream of which nothing more is known than that all calls went well. */
export function observed(overrides: Partial<KvsObservations> = {}): KvsObservations {
  return {
    kind: 'kvs',
    takenMs: NOW_MS,
    settings: {
      identity: 'name',
      region: 'us-west-2',
      fragmentSelectorType: 'PRODUCER_TIMESTAMP',
      containerFormat: 'FRAGMENTED_MP4',
      discontinuityMode: 'ON_DISCONTINUITY',
      expiresS: 43_200,
      fragmentResults: 10,
    },
    use: { always: false, dvrMs: 0, archive: true },
    proxy: false,
    credentials: { kind: 'long-lived', role: false },
    described: { status: 'ACTIVE', retentionHours: 24, ownKey: false },
    listing: listing(),
    isCut: false,
    calls: [
      call('Credentials'),
      call('DescribeStream'),
      call('GetDataEndpoint', { detail: 'LIST_FRAGMENTS' }),
      call('ListFragments'),
      call('GetDataEndpoint', { detail: 'GET_HLS_STREAMING_SESSION_URL' }),
      call('GetHLSStreamingSessionURL'),
    ],
    ...overrides,
  }
}

export function observedOrigin(overrides: Partial<HlsObservations> = {}): HlsObservations {
  return {
    kind: 'hls',
    takenMs: NOW_MS,
    use: { always: false, dvrMs: 0, archive: false },
    proxy: false,
    session: { renditions: [] },
    isCut: false,
    calls: [call('playlist')],
    ...overrides,
  }
}
