import { expect, test } from 'vitest'
import { clientName } from '../../src/http/client-name.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8'],
  ['::1', ''],
  [undefined, ''],
])('%s shares what there is with %s', (remoteAddress, name) => {
  expect(clientName({ remoteAddress })).toBe(name)
})
