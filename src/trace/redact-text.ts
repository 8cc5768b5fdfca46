import { redact } from '../base/redact.ts'

const RULES: readonly (readonly [RegExp, string])[] = [
  // Streams, as KVS names them where a limit is exceeded.
  [/\b(resource:? ?)(['"])[^'"]+\2/gi, '$1$2[name]$2'],
  // Users, roles, streams, keys: each names an account.
  [/\barn:[^\s"'`,;)\]}]*/gi, '[arn]'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]*/gi, '[url]'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '[address]'],
  // Names of hosts: at least two dots, or one before a domain that hosts have here.
  [/\b(?:[a-z0-9_-]+\.){2,}[a-z][a-z0-9-]*\b(?::\d+)?/gi, '[host]'],
  [
    /\b(?:[a-z0-9_-]+\.)+(?:com|net|org|io|cn|eu|local|internal|lan|cloud|aws)\b(?::\d+)?/gi,
    '[host]',
  ],
  [/\blocalhost\b(?::\d+)?/gi, '[host]'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '[address]'],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi, '[address]'],
  // Accounts, between dashes and underscores too.
  [/(?<!\d)\d{12}(?!\d)/g, '[account]'],
  // What is as long as a secret and looks like one.
  [/[A-Za-z0-9+/_~=-]{40,}/g, '[redacted]'],
]

/** Returns what others said, without whom it names: accounts, hosts, addresses, keys and tokens. */
export function redactText(text: string): string {
  return RULES.reduce((rest, [pattern, word]) => rest.replace(pattern, word), redact(text))
}
