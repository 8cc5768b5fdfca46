import { expect, test } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { PRICES_READ, Prices } from '../../src/metrics/prices.ts'

const US_EAST = 0.0119

test('a region without a known price is said once, and counted with that of us-east-1', () => {
  const said: unknown[] = []
  const log: Log = { ...silentLog, info: (_text, fields) => void said.push(fields) }
  const prices = new Prices({ region: 'eu-central-1', usdPerGb: undefined, log })
  expect(prices.hlsUsdPerGb('us-east-1')).toBe(US_EAST)
  expect(said).toEqual([])
  expect([undefined, 'eu-central-1', 'ap-south-1'].map((one) => prices.hlsUsdPerGb(one))).toEqual([
    US_EAST,
    US_EAST,
    US_EAST,
  ])
  expect(said).toEqual([
    { region: 'eu-central-1', from: 'us-east-1', usdPerGb: US_EAST, asOf: PRICES_READ },
    { region: 'ap-south-1', from: 'us-east-1', usdPerGb: US_EAST, asOf: PRICES_READ },
  ])
})

test('what an operator pays wins over the list', () => {
  const prices = new Prices({ region: undefined, usdPerGb: 0.01, log: silentLog })
  expect(prices.hlsUsdPerGb('us-east-1')).toBe(0.01)
})
