import { expect, test } from 'vitest'
import { Outage } from '../../src/base/outage.ts'

test('only the first failure and the first success after it are told', async () => {
  const told: unknown[] = []
  const say =
    (level: string) =>
    (event: string, fields?: object): void =>
      void told.push([level, event, fields])
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const outage = new Outage(log, { level: 'warn', fails: 'fails', works: 'works again' })
  const error = new Error('full')
  const fail = (): Promise<never> => Promise.reject(error)
  const work = (): Promise<number> => Promise.resolve(1)

  expect(await outage.attempt({}, work)).toBe(1)
  expect(await outage.attempt({ at: 1 }, fail)).toBeUndefined()
  await outage.attempt({ at: 2 }, fail)
  await outage.attempt({}, work)
  await outage.attempt({}, work)
  expect(told).toEqual([
    ['warn', 'fails', { at: 1, error }],
    ['info', 'works again', undefined],
  ])
})
