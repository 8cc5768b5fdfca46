import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'

const names = z.array(z.string())

const reloadReport = z.object({
  streams: z
    .object({
      added: names,
      changed: names.describe('Shown in another way; sessions and numbering go on'),
      sourceChanged: names.describe('Of another source: numbering goes on behind a discontinuity'),
      removed: names,
      unchanged: z.number().int().nonnegative(),
    })
    .describe('By public name; those that exist by pattern as far as they are there'),
  applied: names.describe('The sections that changed and are in force now'),
  needsRestart: names.describe('The keys that changed and wait for a restart'),
})

/** What becomes of what runs when the configuration is read again. */
export type ReloadReport = z.output<typeof reloadReport>

const fault = z.object({
  file: z.string(),
  line: z.number().int().nullable().describe('From 1; null where it is the file as a whole'),
  key: z.string().describe('As in streams.lobby.window; empty where there is none'),
  expected: z.string(),
  got: z.string(),
})

/** One thing that is wrong with a configuration. */
export type ReloadFault = z.output<typeof fault>

const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
})

export interface ReloadApiOptions {
  /** @throws GatewayError with all faults; then nothing has changed */
  readonly reload: () => Promise<ReloadReport>
}

/** Serves `POST /api/v1/reload`. */
export function reloadApi(
  app: FastifyInstance,
  { reload }: ReloadApiOptions,
  done: () => void,
): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    '/reload',
    {
      schema: {
        summary: 'Read the configuration file again and apply it',
        response: {
          200: reloadReport,
          409: problem.describe('There is no file: the demo, or --stream'),
          422: problem
            .extend({ faults: z.array(fault) })
            .describe('The file has faults, and nothing has changed'),
        },
      },
    },
    () => reload(),
  )
  done()
}
