import { z } from 'zod'
import type { Camera } from '../../camera/camera.ts'
import type { Fragment } from '../../camera/fragment.ts'
import { hash32 } from '../../camera/hash.ts'
import { mediaBytes, samplesOf, tracksOf } from '../../media/fragment-media.ts'
import { type Range, select } from '../../session/selection.ts'
import { invalidArgument } from '../kvs-error.ts'
import { spendPoints } from '../limits.ts'
import type { SignedOperation } from '../signed-operation.ts'

const requestSchema = z.object({
  MaxResults: z.int().min(1).max(1000).default(100),
  NextToken: z.string().max(4096).optional(),
  FragmentSelector: z
    .object({
      FragmentSelectorType: z.enum(['SERVER_TIMESTAMP', 'PRODUCER_TIMESTAMP']),
      TimestampRange: z.object({ StartTimestamp: z.number(), EndTimestamp: z.number() }),
    })
    .optional(),
})

type Request = z.output<typeof requestSchema>

/** Answers with a page of the archive, in no order within it, like the service's. */
export const listFragments: SignedOperation = ({ camera, body, nowMs }) => {
  const request = requestSchema.safeParse(body)
  if (!request.success) throw invalidArgument('Invalid MaxResults, NextToken or FragmentSelector.')
  spendPoints(camera, 'metadataPoints', request.data.MaxResults, nowMs)
  const page = readPage(camera, request.data, nowMs)
  const shown = page.slice(0, request.data.MaxResults)
  const last = shown.at(-1)
  return {
    Fragments: shuffled(shown).map((fragment) => describe(fragment)),
    ...(page.length > shown.length && last !== undefined ? { NextToken: writeToken(last) } : {}),
  }
}

/** Reads one more than fits the page, if there is one. */
function readPage(camera: Camera, request: Request, nowMs: number): readonly Fragment[] {
  const { timeline, config } = camera
  const oldestMs = camera.oldestMs(nowMs)
  const after = readToken(request.NextToken)
  const page: Fragment[] = []
  const selector = request.FragmentSelector?.FragmentSelectorType ?? 'SERVER_TIMESTAMP'
  const range = readRange(request, oldestMs, nowMs)
  const fromSlot = after === undefined ? 0 : (timeline.find(after)?.slot ?? 0)
  const stored = { oldestMs, nowMs, fromSlot }
  for (const fragment of select(timeline, selector, range, stored)) {
    if (fragment.listedAtMs + config.listFragmentsLagMs > nowMs) continue
    if (after === undefined || fragment.number > after) page.push(fragment)
    if (page.length > request.MaxResults) break
  }
  return page
}

function readRange({ FragmentSelector }: Request, oldestMs: number, nowMs: number): Range {
  const range = FragmentSelector?.TimestampRange
  if (range === undefined) return { startMs: oldestMs, endMs: nowMs }
  if (range.EndTimestamp <= range.StartTimestamp) {
    throw invalidArgument('EndTimestamp must be after StartTimestamp.')
  }
  // Nothing is later than now, but for producers whose clock is fast.
  return { startMs: range.StartTimestamp * 1000, endMs: range.EndTimestamp * 1000 }
}

/**
 * Describes a fragment. Its length ends where the last frame starts, because AWS does not know how long that one lasts.
 */
function describe(fragment: Fragment): Record<string, unknown> {
  const [track] = tracksOf(fragment)
  const frames = track === undefined ? 1 : samplesOf(fragment, track).length
  return {
    FragmentNumber: String(fragment.number),
    FragmentSizeInBytes: mediaBytes(fragment),
    ProducerTimestamp: fragment.producerMs / 1000,
    ServerTimestamp: fragment.serverMs / 1000,
    FragmentLengthInMilliseconds: Math.round((fragment.durationMs * (frames - 1)) / frames),
  }
}

function shuffled(fragments: readonly Fragment[]): readonly Fragment[] {
  const rank = ({ number }: Fragment): number => hash32(String(number))
  return fragments.toSorted((a, b) => rank(a) - rank(b))
}

function writeToken({ number }: Fragment): string {
  return Buffer.from(String(number)).toString('base64')
}

function readToken(token: string | undefined): bigint | undefined {
  if (token === undefined) return undefined
  const text = Buffer.from(token, 'base64').toString('latin1')
  if (!/^\d{1,128}$/.test(text)) throw invalidArgument('Invalid NextToken.')
  return BigInt(text)
}
