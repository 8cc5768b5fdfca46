import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { notYetAvailable } from '../../src/config/availability.ts'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ONE_STREAM, parse } from './support.ts'

const path = (name: string) => fileURLToPath(new URL(`../../config/${name}`, import.meta.url))
const text = (name: string) => readFileSync(path(name), 'utf8')

test('the JSON Schema is the one that the table gives (else: node config/make-schema.ts)', () => {
  expect(text('gateway.schema.json')).toBe(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
})

test('the example file equals the defaults', async () => {
  expect(await loadConfig(path('gateway.example.yaml'), {})).toEqual(parse(ONE_STREAM))
})

test('the example file shows every key', () => {
  const shown = new Set(
    Array.from(text('gateway.example.yaml').matchAll(/(\w+):/g), ([, key]) => key),
  )
  expect(keysOf(configJsonSchema())).toContain('quotaShare')
  expect(keysOf(configJsonSchema()).filter((key) => !shown.has(key))).toEqual([])
})

test('the example file gives every built-in default of a stream once more under defaults', () => {
  const example = text('gateway.example.yaml')
  const [, defaults = ''] = /^defaults:\n((?: .*\n)+)/m.exec(example) ?? []
  const without = parse(ONE_STREAM)
  expect(parse(`defaults:\n${defaults}${ONE_STREAM}`)).toEqual(without)
  expect(defaults).toContain('signalLossAfter')
})

test('the demo has four cameras, of which nothing is missing', async () => {
  const config = await loadConfig(path('dev.yaml'), { KVS_EMULATOR_URL: 'http://127.0.0.1:8090' })
  expect(config.streams.map(({ name }) => name)).toEqual(['lobby', 'entrance', 'garage', 'yard'])
  expect(config.aws.endpoint).toBe('http://127.0.0.1:8090')
  expect(notYetAvailable(config)).toEqual([])
})

function keysOf(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own =
    'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null
      ? Object.keys(schema.properties)
      : []
  return [...own, ...Object.values(schema).flatMap(keysOf)]
}
