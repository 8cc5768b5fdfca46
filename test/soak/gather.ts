import { cameraOf, type Product } from '../proof/product.ts'
import type { SoakStream } from './cameras.ts'
import type { StreamUpstream } from './report.ts'

const METRICS = [
  'discontinuities_total',
  'late_fragments_total',
  'slate_segments_total',
  'slate_seconds_total',
  'source_switches_total',
] as const

/** What the emulator and the gateway's API say at the end; nothing when they do not answer any more. */
export async function gatherUpstream(
  { control, admin }: Pick<Product, 'control' | 'admin'>,
  streams: readonly SoakStream[],
): Promise<readonly StreamUpstream[]> {
  const gathered = await Promise.allSettled(
    streams.map(async ({ name, cameras }): Promise<StreamUpstream> => {
      const status = await admin.stream(name)
      return {
        stream: name,
        state: status.state,
        rollovers: status.session?.rollovers ?? 0,
        bytesDown: status.downstream.bytes,
        bytesUp: status.upstream.bytes,
        cameras: await Promise.all(
          cameras.map(
            async (camera) => [camera, await control.counters(cameraOf(camera))] as const,
          ),
        ),
      }
    }),
  )
  return gathered.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
}

/** What the gateway's metrics say of what no viewer can see; nothing when it does not answer any more. */
export async function gatherTotals({
  admin,
}: Pick<Product, 'admin'>): Promise<Readonly<Record<string, number>>> {
  try {
    const totals = METRICS.map(async (name) => {
      const value = await admin.metric(`kvs_gateway_${name}`)
      return [name.replace(/_total$/, '').replaceAll('_', ' '), Math.round(value)] as const
    })
    return Object.fromEntries(await Promise.all(totals))
  } catch {
    return {}
  }
}
