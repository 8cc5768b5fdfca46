import { z } from 'zod'
import { packageVersion } from '../base/version.ts'
import { redactObservations } from './redact-observations.ts'
import { type Observations, TRACE_VERSION, type Trace, traceSchema } from './trace.ts'

/** Says that a file is no trace that we read. */
export class TraceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TraceError'
  }
}

/** Writes what was seen of streams, in their order, as JSON that holds no secret. */
export function writeTrace(streams: readonly Observations[]): string {
  const trace: Trace = {
    trace: TRACE_VERSION,
    program: packageVersion(),
    streams: streams.map((observations, i) => ({
      name: `stream-${i + 1}`,
      observations: redactObservations(observations),
    })),
  }
  return `${JSON.stringify(trace, null, 1)}\n`
}

/**
 * Reads what {@link writeTrace} wrote.
 * @throws TraceError
 */
export function readTrace(text: string): Trace {
  const { data, error } = traceSchema.safeParse(asJson(text))
  if (data !== undefined) return data
  throw new TraceError(`not a trace of this version: ${z.prettifyError(error).split('\n')[0]}`)
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TraceError('not a trace: it is not JSON')
  }
}
