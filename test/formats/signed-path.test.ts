import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPathToken, writePathToken } from '../../src/formats/signed-path.ts'

const grant = { expiresS: 1_800_000_000, keyId: 'k1', pattern: 'cam-*' }
const secretOf = (id: string) => (id === 'k1' ? 'secret' : undefined)

test('spells exp.id.pattern.mac as the contract has it', () => {
  const body = '1800000000.k1.Y2FtLSo'
  const mac = createHmac('sha256', 'secret').update(body).digest('base64url')
  expect(writePathToken(grant, 'secret')).toBe(`${body}.${mac}`)
})

test('reads what it wrote', () => {
  const pattern = fc.stringMatching(/^[A-Za-z0-9_.*?-]{1,256}$/)
  fc.assert(
    fc.property(pattern, fc.nat(), (glob, expiresS) => {
      const token = { expiresS, keyId: 'k1', pattern: glob }
      expect(readPathToken(writePathToken(token, 'secret'), secretOf)).toEqual(token)
    }),
  )
})

test('refuses another secret and an unknown key', () => {
  expect(readPathToken(writePathToken(grant, 'other'), secretOf)).toBeUndefined()
  const unknown = writePathToken({ ...grant, keyId: 'k2' }, 'secret')
  expect(readPathToken(unknown, secretOf)).toBeUndefined()
})

test('refuses any change of a single character', () => {
  const token = writePathToken(grant, 'secret')
  for (let i = 0; i < token.length; i += 1) {
    for (const other of ['A', 'B', '.', '0', '~']) {
      const changed = token.slice(0, i) + other + token.slice(i + 1)
      if (changed !== token) expect(readPathToken(changed, secretOf)).toBeUndefined()
    }
  }
})

test.each(['', '.', '...', 'a.b.c.d', '1.k1.Y2Ft', `${'9'.repeat(5000)}`])(
  'refuses %j',
  (token) => {
    expect(readPathToken(token, secretOf)).toBeUndefined()
  },
)
