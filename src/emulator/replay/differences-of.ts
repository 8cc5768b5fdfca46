import type { KvsObservations } from '../../trace/trace.ts'

/** Tells what a replay of these observations cannot be true to. */
export function differencesOf(seen: KvsObservations): readonly string[] {
  const { listing, session, control, data, credentials } = seen
  const size = pictureSizeOf(seen)
  return [
    ...(size === undefined
      ? []
      : [`pictures of ${size}, their profile and their content are the emulator’s own`]),
    ...(listing === undefined || listing.fragments.length === 0
      ? ['no fragment was listed: lengths, times and sizes of fragments are the emulator’s own']
      : []),
    ...(listing?.isWhole === false ? ['only the listed part of the window is replayed'] : []),
    ...(session === undefined ? [] : ['bit rates below the emulator’s own are raised to those']),
    ...(control?.kind === undefined || control.kind === 'other'
      ? []
      : ['hosts are this machine: address families, PrivateLink and proxies are not replayed']),
    ...(control?.fault === undefined
      ? []
      : ['the control host, which was not found, is this machine']),
    ...(data?.viaProxy === true ? ['the proxy is not replayed'] : []),
    ...(credentials?.role === true ? ['no role is needed'] : []),
  ]
}

function pictureSizeOf({ session }: KvsObservations): string | undefined {
  const inits = session?.renditions.flatMap((rendition) => rendition.inits) ?? []
  const init = inits.find(({ width }) => width !== undefined)
  return init === undefined ? undefined : `${init.width}x${init.height}`
}
