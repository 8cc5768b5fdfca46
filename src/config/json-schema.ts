import { z } from 'zod'
import { fileSchema } from './schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** Makes the JSON Schema of the file, for editors: completion, documentation and checks while typing. */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema, { io: 'input' })
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: 'kvs-hls-gateway configuration',
    ...asWritten(schema),
    $defs: { reference: { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' } },
  }
}

/** Makes the schema of values as they stand in the file: before `${NAME}` is replaced, and perhaps empty. */
function asWritten(schema: JsonSchema): JsonSchema {
  if (schema.type === 'object') return mapping(schema)
  if (Array.isArray(schema.items)) return schema
  if (typeof schema.items === 'object') return { ...schema, items: asWritten(schema.items) }
  const { anyOf: options, ...described } = schema
  if (options !== undefined) return { ...described, anyOf: options.map(asWritten) }
  return schema.const === undefined ? scalar(schema) : schema
}

function mapping({ properties = {}, additionalProperties, ...schema }: JsonSchema): JsonSchema {
  const keys: Record<string, JsonSchema | boolean> = {}
  for (const [key, value] of Object.entries(properties)) {
    keys[key] = typeof value === 'object' ? asWritten(value) : value
  }
  const others = typeof additionalProperties === 'object' && asWritten(additionalProperties)
  return { ...schema, properties: keys, additionalProperties: others }
}

function scalar({ description, default: preset, ...value }: JsonSchema): JsonSchema {
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [value, { $ref: '#/$defs/reference' }, { type: 'null' }],
  }
}
