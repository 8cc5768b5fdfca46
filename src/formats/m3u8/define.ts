import { readAttributes } from './attributes.ts'
import { PlaylistError } from './playlist-error.ts'

/** Says what EXT-X-DEFINE may take its values from. RFC 8216bis, 4.4.2.3. */
export interface DefineSources {
  /** The URL of the playlist, for QUERYPARAM. */
  readonly url?: URL | undefined
  /** The variables of the multivariant playlist, for IMPORT. */
  readonly imports?: Variables | undefined
}

/** The values by variable name. */
export type Variables = ReadonlyMap<string, string>

const MAX_VARIABLES = 100
const DEFINE = /^[ \t]*#EXT-X-DEFINE[ \t]*:(.*)$/gm
const REFERENCE = /\{\$([A-Za-z0-9_-]+)\}/g

/**
 * Reads the variables that a playlist defines, in order: each may refer to those before it.
 * @throws PlaylistError when one has no value
 */
export function readVariables(text: string, sources: DefineSources): Variables {
  const variables = new Map<string, string>()
  for (const [, list = ''] of text.matchAll(DEFINE)) {
    const [name, value] = readDefine(list, sources)
    variables.set(name, substitute(value, variables, MAX_VALUE_CHARACTERS))
    if (variables.size > MAX_VARIABLES) throw new PlaylistError('EXT-X-DEFINE: too many variables')
  }
  return variables
}

const MAX_VALUE_CHARACTERS = 4096

/**
 * Puts the values in place of `{$NAME}`.
 * @throws PlaylistError when a variable is not defined, or the text would grow beyond its bound
 */
export function substitute(text: string, variables: Variables, maxCharacters: number): string {
  let size = text.length
  return text.replaceAll(REFERENCE, (reference, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new PlaylistError('a variable is not defined')
    size += value.length - reference.length
    if (size > maxCharacters) throw new PlaylistError(`more than ${maxCharacters} characters`)
    return value
  })
}

function readDefine(list: string, { url, imports }: DefineSources): [string, string] {
  const attributes = readAttributes(list)
  const [name, parameter, wanted] = ['NAME', 'QUERYPARAM', 'IMPORT'].map((one) =>
    attributes.get(one),
  )
  if (name !== undefined) return [name, attributes.get('VALUE') ?? '']
  const value =
    parameter === undefined
      ? imports?.get(wanted ?? '')
      : (url?.searchParams.get(parameter) ?? undefined)
  if (value === undefined) throw new PlaylistError('EXT-X-DEFINE: a variable has no value')
  return [parameter ?? wanted ?? '', value]
}
