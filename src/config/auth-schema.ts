import { z } from 'zod'
import { parseCidr } from '../base/cidr.ts'
import {
  choice,
  exactlyOne,
  HEADER_NAME,
  list,
  plainSection,
  section,
  text,
  url,
  withoutEmpty,
} from './values.ts'

const secret = () => text('a secret')

const header = text('a header name', HEADER_NAME)
const secrets = list(secret(), 'one or two secrets', 1, 2)
const keys = list(
  section({ id: text('a key id of a–z A–Z 0–9 _ -', /^[A-Za-z0-9_-]{1,64}$/), secret: secret() }),
  'a list of keys { id, secret }',
  1,
  20,
).refine((all) => new Set(all.map(({ id }) => id)).size === all.length, {
  error: 'keys with different ids',
})
const token = {
  secret: secret().optional().describe('jwt: HS256; or give jwksUrl.'),
  jwksUrl: url('http', 'https').optional().describe('jwt: RS256 and ES256 keys.'),
  issuer: text('an issuer').optional().describe('jwt: the iss claim that is required.'),
  audience: text('an audience').optional().describe('jwt: the aud claim that is required.'),
  cookie: text('a cookie name', HEADER_NAME)
    .optional()
    .describe('jwt: where to look besides Bearer.'),
}

/** What each mode needs of the keys below. */
const modes = {
  'cdn-secret': z.object({ header: header.prefault('X-Cdn-Secret'), secrets }),
  jwt: z.object(token).superRefine(exactlyOne('secret', 'jwksUrl')),
  'signed-path': z.object({ keys }),
} as const

const NAMES = ['cdn-secret', 'jwt', 'signed-path'] as const
type ModeName = (typeof NAMES)[number]

/** One way to prove that one may watch. */
export type AuthMode =
  | ({ readonly mode: 'cdn-secret' } & Readonly<z.output<(typeof modes)['cdn-secret']>>)
  | ({ readonly mode: 'jwt' } & Readonly<z.output<(typeof modes)['jwt']>>)
  | ({ readonly mode: 'signed-path' } & Readonly<z.output<(typeof modes)['signed-path']>>)

/** Who may watch: whoever satisfies one of the modes; everybody where there is none. */
export interface Auth {
  readonly modes: readonly AuthMode[]
  /** Addresses and ranges of connections that are let in without. */
  readonly allowFrom: readonly string[]
}

const MODE = `one of none, ${NAMES.join(', ')}, or a list of these`
const unique = (mode: string | readonly string[]): boolean =>
  typeof mode === 'string' || new Set(mode).size === mode.length

const shape = {
  mode: z
    .union([choice(['none', ...NAMES]), list(choice(NAMES), MODE, 1, NAMES.length)], {
      error: MODE,
    })
    .refine(unique, { error: MODE })
    .prefault('none')
    .describe('How viewers prove that they may watch. Of a list, one is enough.'),
  allowFrom: list(
    text('an address or a range such as 192.0.2.0/24').refine(
      (range) => parseCidr(range) !== undefined,
      { error: 'an address or a range such as 192.0.2.0/24' },
    ),
    'a list of addresses and ranges',
  )
    .prefault([])
    .describe('Connections from these addresses are let in without: the walls of a site.'),
  header: header.optional().describe('cdn-secret: where the CDN shows it. Default: X-Cdn-Secret.'),
  secrets: secrets
    .optional()
    .describe('cdn-secret: the new secret and, while the CDN changes over, the old one.'),
  ...token,
  keys: keys.optional().describe('signed-path: the first key signs; all of them are accepted.'),
}

/** The mapping under `auth`: the keys of all modes stand side by side. */
export const auth = withoutEmpty(
  Object.keys(shape),
  plainSection(shape).transform((written, context): Auth => {
    const { mode, allowFrom } = written
    const names = mode === 'none' ? [] : typeof mode === 'string' ? [mode] : mode
    if (names.length === 0 && allowFrom.length > 0) {
      const message = 'a mode besides none, which lets everybody in'
      context.issues.push({ code: 'custom', path: ['mode'], message, input: mode })
    }
    const idle = Object.keys(written).filter((key) => !isUsed(key, names))
    if (idle.length > 0) {
      const message = `a key of ${names.length === 0 ? 'mode none' : names.join(', ')}`
      context.issues.push({ code: 'unrecognized_keys', keys: idle, message, input: written })
    }
    return { modes: names.flatMap((name) => readMode(name, written, context)), allowFrom }
  }),
)

function isUsed(key: string, names: readonly ModeName[]): boolean {
  return key === 'mode' || key === 'allowFrom' || names.some((name) => key in modes[name].shape)
}

function readMode(
  name: ModeName,
  written: unknown,
  context: z.core.ParsePayload,
): readonly AuthMode[] {
  switch (name) {
    case 'cdn-secret':
      return take(modes[name].safeParse(written), context).map((read) => ({ mode: name, ...read }))
    case 'jwt':
      return take(modes[name].safeParse(written), context).map((read) => ({ mode: name, ...read }))
    case 'signed-path':
      return take(modes[name].safeParse(written), context).map((read) => ({ mode: name, ...read }))
  }
}

/** Returns what was read; nothing, with the faults told, where it could not be. */
function take<T>(result: z.ZodSafeParseResult<T>, context: z.core.ParsePayload): readonly T[] {
  if (result.success) return [result.data]
  for (const { message, path } of result.error.issues) {
    context.issues.push({ code: 'custom', message, path, input: undefined })
  }
  return []
}
