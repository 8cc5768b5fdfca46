// Writes config/gateway.schema.json anew: node config/make-schema.ts
import { writeFile } from 'node:fs/promises'
import { configJsonSchema } from '../src/config/json-schema.ts'

const target = new URL('gateway.schema.json', import.meta.url)
await writeFile(target, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
