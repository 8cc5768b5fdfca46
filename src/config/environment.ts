/** Holds variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

export type Substitution =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly expected: string; readonly got: string }

const REFERENCE = /\$\$\{|\$\{(?<name>[^}]*)(?<end>\}?)/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Replaces each `${NAME}` by that environment variable; `$${` stands for `${` itself.
 * It sees one scalar at a time, after the YAML is parsed, so no value can add keys.
 */
export function substitute(text: string, env: Environment): Substitution {
  for (const { groups } of text.matchAll(REFERENCE)) {
    if (groups?.['name'] === undefined) continue
    const name = groups['name']
    if (!NAME.test(name) || groups['end'] === '') {
      const expected = `a reference \${NAME}, or $\${ for the two characters themselves`
      return { ok: false, expected, got: 'another use of ${' }
    }
    if (env[name] === undefined) {
      return { ok: false, expected: `the environment variable ${name} to be set`, got: 'nothing' }
    }
  }
  const replaced = text.replace(REFERENCE, (_, name?: string) =>
    name === undefined ? '${' : (env[name] ?? ''),
  )
  return { ok: true, text: replaced }
}

const SHIELD = { open: '\u{E000}', close: '\u{E001}' } as const

/**
 * Hides the braces of references, because in YAML's flow style a brace is structure, so `{ token: ${TOKEN} }` would not
 * parse. Until it has, they are private-use characters; the text keeps its length and lines.
 */
export function shieldReferences(text: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, `$$${SHIELD.open}$1${SHIELD.close}`)
}

/** Undoes {@link shieldReferences}. */
export function unshieldReferences(text: string): string {
  return text.replace(
    new RegExp(`\\$${SHIELD.open}([A-Za-z0-9_]+)${SHIELD.close}`, 'gu'),
    (_, name: string) => `\${${name}}`,
  )
}
