import { z } from 'zod'
import type { Camera } from '../../camera/camera.ts'
import { invalidArgument } from '../kvs-error.ts'
import { streamInfo } from './describe-stream.ts'

const requestSchema = z.object({
  MaxResults: z.int().min(1).max(10_000).default(10_000),
  /** The place of the next page's first stream. */
  NextToken: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
  StreamNameCondition: z
    .object({
      ComparisonOperator: z.literal('BEGINS_WITH').default('BEGINS_WITH'),
      ComparisonValue: z.string().min(1).max(256),
    })
    .optional(),
})

export interface StreamsOf {
  readonly region: string | undefined
  readonly roleArn: string | undefined
}

/** Answers with the streams of the caller's account and region. Throws InvalidArgumentException. */
export function listStreams(
  cameras: Iterable<Camera>,
  body: unknown,
  { region, roleArn }: StreamsOf,
  nowMs: number,
): Record<string, unknown> {
  const { data } = requestSchema.safeParse(body ?? {})
  if (data === undefined) throw invalidArgument('Invalid MaxResults, NextToken or condition.')
  const { MaxResults, NextToken = '0', StreamNameCondition } = data
  const prefix = StreamNameCondition?.ComparisonValue ?? ''
  const meant = [...cameras].filter(({ streamName, config }) => {
    const here = region === undefined || (config.region ?? region) === region
    return here && config.roleArn === roleArn && streamName.startsWith(prefix)
  })
  const from = Number(NextToken)
  const until = from + MaxResults
  return {
    StreamInfoList: meant.slice(from, until).map((camera) => streamInfo(camera, nowMs)),
    ...(until < meant.length ? { NextToken: String(until) } : {}),
  }
}
