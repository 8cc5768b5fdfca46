import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventSchema } from '../../src/emulator/camera/event.ts'
import { cameraConfigSchema, demoCameras, emulatorConfigSchema } from '../../src/emulator/config.ts'
import { faultSchema } from '../../src/emulator/service/fault.ts'

const readme = await readFile(new URL('../../src/emulator/README.md', import.meta.url), 'utf8')

interface Property {
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly { readonly const?: unknown }[]
  readonly const?: unknown
  readonly type?: string
  readonly properties?: Record<string, Property>
  readonly oneOf?: readonly Property[]
}

const schemaOf = (schema: z.ZodType): Property =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Property

function values({ enum: names, anyOf, type }: Property): string {
  const choices = names ?? anyOf?.map((choice) => choice.const)
  return (
    choices?.map((choice) => `\`${JSON.stringify(choice).replaceAll('"', '')}\``).join(' ') ??
    `${type}`
  )
}

/** The table of an object schema: switch, values, default, meaning. */
function table(schema: Property, prefix = ''): string {
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (property.properties !== undefined) return [table(property, `${name}.`)]
    const standard = property.default === undefined ? '' : `\`${JSON.stringify(property.default)}\``
    return [
      `| \`${prefix}${name}\` | ${values(property)} | ${standard} | ${property.description} |`,
    ]
  })
  return rows.join('\n')
}

/** The table of a union: the discriminator's value, the other members, meaning. */
function kinds(schema: Property, discriminator: string, common: readonly string[]): string {
  const rows = (schema.oneOf ?? []).map(({ properties = {}, description }) => {
    const kind = properties[discriminator]?.const
    const members = Object.keys(properties).filter((name) => {
      return name !== discriminator && !common.includes(name)
    })
    return `| \`${String(kind)}\` | ${members.map((name) => `\`${name}\``).join(' ')} | ${description} |`
  })
  return rows.join('\n')
}

test('the README has every switch of a camera with its default', () => {
  expect(readme).toContain(table(schemaOf(cameraConfigSchema)))
})

test('the README has every switch of the account', () => {
  const { properties = {} } = schemaOf(emulatorConfigSchema)
  const { cameras: _, ...account } = properties
  expect(readme).toContain(table({ properties: account }))
})

test('the README has every event and every fault', () => {
  expect(readme).toContain(kinds(schemaOf(eventSchema), 'type', []))
  const selection = ['operation', 'track', 'times', 'probability']
  expect(readme).toContain(kinds(schemaOf(faultSchema), 'kind', selection))
})

test('the README names the demo cameras', () => {
  for (const [name, { clip }] of Object.entries(demoCameras)) {
    expect(readme).toContain(`| \`${name}\` | \`${clip}\` |`)
  }
})
