import { expect, test } from 'vitest'
import { EVERYTHING } from '../../src/http/auth/proof.ts'
import { addressName, clientName } from '../../src/http/client-name.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8'],
  ['::1', ''],
  [undefined, ''],
])('%s shares what there is with %s', (remoteAddress, name) => {
  expect(addressName({ remoteAddress })).toBe(name)
})

test('who shows a token is named by it, wherever it is shown from', () => {
  const raw = { socket: { remoteAddress: '192.0.2.1' } } as never
  expect(clientName({ raw, grant: { ...EVERYTHING, holder: 'abc' } })).toBe('abc')
  expect(clientName({ raw, grant: EVERYTHING })).toBe('192.0.2.1')
  expect(clientName({ raw })).toBe('192.0.2.1')
})
