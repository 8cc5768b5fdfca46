import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

/** The IAM policies that we ship, against the calls that the code makes. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'config/deploy/iam')

const several = z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)])
const action = z.string().regex(/^(kinesisvideo|kms|sts):[A-Z][A-Za-z]+$/)
const actions = z.union([action.transform((one) => [one]), z.array(action).min(1)])
const arn = z.string().regex(/^arn:aws:(kinesisvideo|kms|iam):([a-z0-9-]*):(\d{12}):[\w/*-]+$/)

/** What of IAM's grammar we use; a key that IAM does not know would be refused. */
const statement = z.union([
  z.strictObject({
    Sid: z.string().regex(/^[A-Za-z0-9]+$/),
    Effect: z.literal('Allow'),
    Action: actions,
    Resource: arn,
  }),
  z.strictObject({
    Sid: z.string().regex(/^[A-Za-z0-9]+$/),
    Effect: z.literal('Allow'),
    Principal: z.strictObject({ AWS: arn }),
    Action: z.literal('sts:AssumeRole'),
    Condition: z.record(z.string(), z.record(z.string(), several)),
  }),
])
const policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(statement).min(1),
})

function allowedBy(...names: readonly string[]): ReadonlySet<string> {
  return new Set(
    names.flatMap((name) => {
      const text: unknown = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'))
      return policy.parse(text).Statement.flatMap(({ Action }) => Action)
    }),
  )
}

/** The actions behind the SDK's commands that a text makes. */
function callsOf(text: string): readonly string[] {
  const commands = text.matchAll(/new ([A-Z]\w+)Command\(/g)
  return Array.from(commands, ([, name = '']) => `kinesisvideo:${name}`)
}

function source(file: string): string {
  return readFileSync(join(ROOT, 'src/upstream/kvs', file), 'utf8')
}

test('every policy is one', () => {
  for (const file of readdirSync(FOLDER)) {
    expect(
      policy.safeParse(JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))).error,
    ).toBeUndefined()
  }
})

test('who may play may make every call of the gateway, and no other: how long fragments get is asked for live, too', () => {
  const calls = ['sdk-commands.ts', 'sdk-kvs-api.ts'].flatMap((file) => callsOf(source(file)))
  expect(allowedBy('playback')).toEqual(new Set(calls))
  expect(allowedBy('playback', 'archive')).toEqual(new Set(calls))
})

test('who runs doctor may make every call that there is, and no other', () => {
  const files = readdirSync(join(ROOT, 'src/upstream/kvs')).filter((file) => file.endsWith('.ts'))
  expect(allowedBy('doctor')).toEqual(new Set(files.flatMap((file) => callsOf(source(file)))))
})
