import type { DestinationStream } from 'pino'
import { z } from 'zod'

const line = z.looseObject({ time: z.string(), level: z.string(), msg: z.string() })

/** For a person at a terminal: time, level, event and the fields, in one line without JSON's noise. */
export function prettyLines(out: { write(text: string): unknown }): DestinationStream {
  return {
    write(json) {
      const { time, level, msg, ...fields } = line.parse(JSON.parse(json))
      const told = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`)
      out.write(`${[time.slice(11, 23), level.toUpperCase().padEnd(5), msg, ...told].join(' ')}\n`)
    },
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
