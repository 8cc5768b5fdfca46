import type { Clock } from '../base/clock.ts'
import { DeadlineError } from '../base/deadline.ts'
import type { Config } from '../config/config.ts'
import { redactObservations } from '../trace/redact-observations.ts'
import type { Observations } from '../trace/trace.ts'
import { UpstreamAgent } from '../upstream/agent.ts'
import { chainRegion } from '../upstream/kvs/chain-region.ts'
import { KvsLooks } from '../upstream/kvs/kvs-looks.ts'
import { proxiesOf } from '../upstream/proxies.ts'
import { publicLookup } from '../upstream/public-lookup.ts'
import { diagnose } from './diagnosis/diagnose.ts'
import { type Finding, found } from './diagnosis/finding.ts'
import { lookAtHls } from './probe/hls-probe.ts'
import { type KvsProbeParts, lookAtKvs } from './probe/kvs-probe.ts'
import { patternsOf, type Subject, subjectsOf } from './subjects.ts'

/** How long all may take: a minute, starting and ending included. */
const TOTAL_MS = 55_000
/** How many streams are looked at side by side. */
const TOGETHER = 8
/** How many streams are looked for in other regions. */
const SEARCHES = 3

/** What was found out about one source. */
export interface Diagnosis {
  readonly name: string
  readonly findings: readonly Finding[]
  /** What was seen, redacted; undefined where time ran out before. */
  readonly observations: Observations | undefined
}

export interface Examination {
  readonly streams: readonly Diagnosis[]
  /** The patterns of streams that were not looked at. */
  readonly patterns: readonly string[]
  readonly tookMs: number
}

export interface DoctorParts {
  readonly clock: Clock
  readonly random: () => number
  /** Where proxies are named. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Looks at all sources of a configuration, within a minute, and says what is wrong. Nothing is changed by it. */
export async function examine(config: Config, parts: DoctorParts): Promise<Examination> {
  const { clock, random, env } = parts
  const proxies = proxiesOf(env)
  const beganMs = clock.now()
  const limit = new AbortController()
  const expire = (): void => limit.abort(new DeadlineError('the examination', TOTAL_MS))
  const cancel = clock.alarm(TOTAL_MS, expire)
  const region = config.aws.region ?? (await chainRegion())
  const dispatcher = new UpstreamAgent(proxies)
  const publicDispatcher = new UpstreamAgent(proxies, publicLookup())
  const looks = new KvsLooks(clock, { ...config.aws, proxies })
  const all = {
    clock,
    random,
    proxies,
    looks,
    dispatcher,
    publicDispatcher,
    searches: { left: SEARCHES },
  }
  try {
    const streams = await inTurn(TOGETHER, subjectsOf(config, region), (subject) =>
      examineOne(subject, all, limit.signal),
    )
    return {
      streams,
      patterns: patternsOf(config),
      tookMs: Math.round(clock.now() - beganMs),
    }
  } finally {
    cancel()
    looks.close()
    await Promise.all([dispatcher.destroy(), publicDispatcher.destroy()])
  }
}

type Parts = Parameters<typeof lookAtHls>[0] & KvsProbeParts

async function examineOne(subject: Subject, parts: Parts, signal: AbortSignal): Promise<Diagnosis> {
  const { name } = subject
  if (signal.aborted) {
    const late = found('time', 'unfinished', 'not looked at: the minute was over')
    return { name, findings: [late], observations: undefined }
  }
  const seen =
    subject.kind === 'kvs'
      ? await lookAtKvs(parts, subject.kvs, signal)
      : await lookAtHls(parts, subject.hls, signal)
  const observations = redactObservations(seen)
  const stream = subject.kind === 'kvs' ? subject.stream : name
  const findings = diagnose(observations).map((one) => addressed(one, stream))
  return { name, findings, observations }
}

/** Puts the stream's name into what is to be done. */
function addressed(finding: Finding, stream: string): Finding {
  const { todo } = finding
  return todo === undefined ? finding : { ...finding, todo: todo.replaceAll(/\bSTREAM\b/g, stream) }
}

/** Works on all, so many at a time, in their order. */
async function inTurn<T, R>(
  together: number,
  all: readonly T[],
  work: (one: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const run = async (): Promise<void> => {
    for (let i = next++; i < all.length; i = next++) {
      const one = all[i]
      if (one !== undefined) results[i] = await work(one)
    }
  }
  await Promise.all(Array.from({ length: Math.min(together, all.length) }, run))
  return results
}
