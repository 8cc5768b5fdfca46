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

/**
 * What the emulator and the gateway's API say at the end, stream by stream, since an hour has thousands of sessions. Who
 * does not answer any more is not among them, and `log` hears why.
 */
export async function gatherUpstream(
  product: Pick<Product, 'control' | 'admin'>,
  streams: readonly SoakStream[],
  log: (line: string) => void,
): Promise<readonly StreamUpstream[]> {
  const gathered: StreamUpstream[] = []
  for (const stream of streams) {
    try {
      gathered.push(await gatherStream(product, stream))
    } catch (error) {
      log(`${stream.name}: ${String(error)}`)
    }
  }
  return gathered
}

async function gatherStream(
  { control, admin }: Pick<Product, 'control' | 'admin'>,
  { name, cameras }: SoakStream,
): Promise<StreamUpstream> {
  const { state, session, downstream, upstream } = await admin.stream(name)
  const counted: StreamUpstream['cameras'][number][] = []
  for (const camera of cameras) counted.push([camera, await control.counters(cameraOf(camera))])
  return {
    stream: name,
    state,
    rollovers: session?.rollovers ?? 0,
    bytesDown: downstream.bytes,
    bytesUp: upstream.bytes,
    cameras: counted,
  }
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
