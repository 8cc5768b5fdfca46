/** An attribute's value as written: quoted strings lose their quotes. */
export interface Attribute {
  readonly value: string
  readonly quoted: boolean
}

const ATTRIBUTE = /^([A-Z0-9-]+)=(?:"([^"\r\n]*)"|([^",\s]+))(,|$)/

/**
 * Reads an attribute list to the letter of RFC 8216, 4.2: no spaces, no empty values, no name twice.
 * @throws SyntaxError
 */
export function parseAttributes(text: string): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>()
  let rest = text
  do {
    const match = ATTRIBUTE.exec(rest)
    if (match === null) throw new SyntaxError(`bad attribute list at "${rest.slice(0, 40)}"`)
    const [whole, name = '', quoted, plain = ''] = match
    if (attributes.has(name)) throw new SyntaxError(`attribute ${name} twice`)
    attributes.set(name, { value: quoted ?? plain, quoted: quoted !== undefined })
    rest = rest.slice(whole.length)
    if (rest === '' && match[4] === ',') throw new SyntaxError('attribute list ends with a comma')
  } while (rest !== '')
  return attributes
}

/** A quoted attribute that has to be there. */
export function quotedAttribute(attributes: ReadonlyMap<string, Attribute>, name: string): string {
  const attribute = attributes.get(name)
  if (attribute === undefined) throw new SyntaxError(`attribute ${name} is missing`)
  if (!attribute.quoted) throw new SyntaxError(`attribute ${name} must be quoted`)
  return attribute.value
}

/** A decimal-integer attribute that has to be there. */
export function integerAttribute(attributes: ReadonlyMap<string, Attribute>, name: string): number {
  const attribute = attributes.get(name)
  if (attribute === undefined) throw new SyntaxError(`attribute ${name} is missing`)
  if (attribute.quoted || !/^\d+$/.test(attribute.value)) {
    throw new SyntaxError(`attribute ${name} must be an integer, got ${attribute.value}`)
  }
  return Number(attribute.value)
}
