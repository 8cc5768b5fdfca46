import type { KvsObservations } from '../../trace/trace.ts'
import { OPERATIONS } from '../service/operation.ts'

/** Tells what a replay of these observations cannot be true to. */
export function differencesOf(seen: KvsObservations): readonly string[] {
  const { listing, session, matroska, control, data, credentials } = seen
  const hasMedia = session !== undefined || matroska !== undefined
  return [
    ...(hasMedia
      ? [
          'size, profile and content of pictures and sounds are the emulator’s own, and bit rates no lower than its own',
        ]
      : []),
    ...(listing === undefined || listing.fragments.length === 0
      ? ['no fragment was listed: lengths, times and sizes of fragments are the emulator’s own']
      : []),
    ...(listing?.isWhole === false ? ['only the listed part of the window is replayed'] : []),
    ...(control === undefined || control.kind === 'other'
      ? []
      : ['hosts are this machine: address families, PrivateLink and proxies are not replayed']),
    ...(control?.fault === undefined ? [] : ['its control host was not found; here it is']),
    ...(data?.viaProxy === true ? ['no proxy is needed'] : []),
    ...(credentials?.role === true ? ['no role is needed'] : []),
    ...strangeFailures(seen),
  ]
}

/** Tells of failures that were not KVS's. */
function strangeFailures({ calls }: KvsObservations): readonly string[] {
  const known: readonly string[] = OPERATIONS
  return calls.flatMap(({ operation, fault }) => {
    if (fault === undefined || known.includes(operation)) return []
    return [`${operation} failed (${fault.name}), which is not replayed`]
  })
}

/** Returns each difference once, behind the streams that have it. */
export function byStream(
  differences: readonly (readonly [stream: string, difference: string])[],
): readonly string[] {
  return Array.from(
    Map.groupBy(differences, ([, difference]) => difference),
    ([difference, streams]) => `${streams.map(([stream]) => stream).join(', ')}: ${difference}`,
  )
}
