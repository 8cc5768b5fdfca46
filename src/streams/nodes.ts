import { z } from 'zod'
import type { StreamOrder } from './stream-order.ts'

/** What the admin API tells of a node. It is public, so it grows, but what is there does not change. */
export const nodeStatus = z.object({
  node: z.string().describe('Its id: another one at each start'),
  name: z.string().describe('redis.node, or the host’s name'),
  self: z.boolean().describe('Is the one that answers'),
  version: z.string(),
  startedAt: z.iso.datetime().describe('ISO 8601, UTC'),
  leaving: z.boolean().describe('Hands its streams over, and takes none'),
  streams: z.number().int().nonnegative().describe('How many streams it owns'),
})

export type NodeStatus = z.infer<typeof nodeStatus>

/** The nodes that are one gateway. */
export interface Nodes {
  /** Those that live, by name. */
  list(): readonly NodeStatus[]
  /** Names the node that owns a stream; undefined while none does. */
  ownerOf(stream: string): string | undefined
  /**
   * Has others carry out an order: the node that owns the stream, or all of them.
   * @returns whether another node owns the stream, and has done it
   * @throws GatewayError why that one has not; `node_away` when it does not say
   */
  order(stream: string, order: StreamOrder, whose: 'owner' | 'all'): Promise<boolean>
}
