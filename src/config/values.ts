/**
 * Defines the kinds of value that configuration keys hold. Each kind has one phrase that says what it expects, and that
 * phrase is its only error message: faults read `expected <phrase>, got …`.
 */
import { z } from 'zod'
import {
  DURATION_PATTERN,
  durationMs,
  formatDuration,
  formatSize,
  SIZE_PATTERN,
  sizeBytes,
} from './units.ts'

/** Reads numbers and flags from text too, because `${NAME}` always gives text. */
const fromText =
  (form: RegExp) =>
  (value: unknown): unknown =>
    typeof value === 'string' && form.test(value) ? (JSON.parse(value) as unknown) : value

export function integer(from: number, to: number) {
  const error = `an integer from ${from} to ${to}`
  return z.preprocess(
    fromText(/^(0|[1-9]\d{0,14})$/),
    z.number({ error }).int({ error }).min(from, { error }).max(to, { error }),
  )
}

/** Takes a share of a whole: above 0, at most 1. */
export function share() {
  const error = 'a number above 0 and up to 1'
  return z.preprocess(
    fromText(/^[01](\.\d{1,15})?$/),
    z.number({ error }).gt(0, { error }).max(1, { error }),
  )
}

/** Takes an amount of money. */
export function amount(max: number) {
  const error = `a number from 0 to ${max}`
  return z.preprocess(
    fromText(/^(0|[1-9]\d{0,9})(\.\d{1,15})?$/),
    z.number({ error }).min(0, { error }).max(max, { error }),
  )
}

export function flag() {
  return z.preprocess(fromText(/^(true|false)$/), z.boolean({ error: 'true or false' }))
}

export function choice<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, { error: `one of ${names.join(', ')}` })
}

/** Takes text of 1 to `max` characters in the given form. */
export function text(expected: string, form: RegExp = /./, max = 4096) {
  const error = expected
  return z.string({ error }).min(1, { error }).max(max, { error }).regex(form, { error })
}

/** Takes an absolute URL with one of the given schemes. */
export function url(...schemes: readonly string[]) {
  const expected = `a URL with ${schemes.map((scheme) => `${scheme}:`).join(' or ')}`
  return text(expected, new RegExp(`^(${schemes.join('|')})://[^\\s]+$`)).refine(
    (value) => URL.canParse(value),
    {
      error: expected,
    },
  )
}

/** A span of time once it is read. In a {@link section} its key then ends in `Ms`. */
export type Milliseconds = number & z.core.$brand<'ms'>

const spans = new WeakSet<z.core.$ZodType>()

/** Reads text such as `10s` as milliseconds. */
export function duration(from: string, to: string) {
  return milliseconds(from, to, `a duration from ${from} to ${to}, such as 500ms, 10s, 2m or 12h`)
}

/** Reads text as {@link duration} does, without a fraction of a second, because HLS and KVS count these in seconds. */
export function wholeSeconds(from: string, to: string) {
  const error = `a duration in whole seconds from ${from} to ${to}, such as 10s, 2m or 12h`
  const schema = milliseconds(from, to, error).refine((ms) => ms % 1000 === 0, { error })
  spans.add(schema)
  return schema
}

function milliseconds(from: string, to: string, error: string) {
  const schema = z.codec(
    z.string({ error }).regex(DURATION_PATTERN, { error }),
    z.number().min(durationMs(from), { error }).max(durationMs(to), { error }).brand<'ms'>(),
    { decode: durationMs, encode: formatDuration },
  )
  spans.add(schema)
  return schema
}

/** Reads text such as `64MiB` as bytes. */
export function size(from: string, to: string) {
  const error = `a size from ${from} to ${to}, such as 64MiB`
  return z.codec(
    z.string({ error }).regex(SIZE_PATTERN, { error }),
    z.number().min(sizeBytes(from), { error }).max(sizeBytes(to), { error }),
    { decode: sizeBytes, encode: formatSize },
  )
}

/**
 * Takes a mapping with exactly these keys. A known key without a value (`token:`) is a key left out; an unknown key is
 * an error, with or without a value. What is read has the same keys, those of durations with their unit: `idleTimeout:
 * 60s` is `idleTimeoutMs: 60_000`.
 */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const named = (key: string): string => (isSpan(shape[key]) ? `${key}Ms` : key)
  const read = plainSection(shape).transform(
    (values) =>
      Object.fromEntries(
        Object.entries(values).map(([key, value]) => [named(key), value]),
      ) as WithUnits<typeof values>,
  )
  return withoutEmpty(Object.keys(shape), read)
}

type WithUnits<Read> = {
  [Key in keyof Read as Key extends string
    ? NonNullable<Read[Key]> extends Milliseconds
      ? `${Key}Ms`
      : Key
    : never]: NonNullable<Read[Key]> extends Milliseconds
    ? number | Exclude<Read[Key], Milliseconds>
    : Read[Key]
}

/** Sees through defaults and descriptions. */
function isSpan(schema: unknown): boolean {
  if (!(schema instanceof z.core.$ZodType)) return false
  return spans.has(schema) || ('innerType' in schema._zod.def && isSpan(schema._zod.def.innerType))
}

/** Takes a mapping as {@link section} does, but leaves it to the caller to mind empty values. */
export function plainSection<const Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = `a known key (${Object.keys(shape).join(', ')})`
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? known : 'a mapping'),
  })
}

/** Leaves out those of `keys` that have no value before `schema` looks at the mapping. */
export function withoutEmpty<T extends z.ZodType>(keys: readonly string[], schema: T) {
  const known = new Set(keys)
  return z.preprocess((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(
      Object.entries(value).filter(([key, inner]) => inner !== null || !known.has(key)),
    )
  }, schema)
}

/** Takes names with values of one kind. */
export function names<Value extends z.ZodType>(expected: string, form: RegExp, value: Value) {
  return z.record(text(expected, form), value, { error: 'a mapping' })
}

export function list<Item extends z.ZodType>(item: Item, expected: string, min = 0, max = 1000) {
  const error = expected
  return z.array(item, { error }).min(min, { error }).max(max, { error })
}

/** Matches a token, as field names are. RFC 9110, 5.6.2. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/

/** Requires exactly one of two keys: both missing is told at the mapping, both present at the second key. */
export function exactlyOne<A extends string, B extends string>(first: A, second: B) {
  return (
    value: { readonly [key in A | B]?: unknown },
    context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
  ): void => {
    const given = [first, second].filter((key) => value[key] !== undefined)
    if (given.length === 1) return
    const path = given.length === 0 ? [] : [second]
    context.addIssue({ code: 'custom', path, message: `exactly one of ${first} and ${second}` })
  }
}
