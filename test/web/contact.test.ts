import { expect, test } from 'vitest'
import { Contact } from '../../src/web/pages/contact.js'

test('contact is lost after three answers that did not come, and found with the next', () => {
  const contact = new Contact(1000)
  expect([contact.lost(8000), contact.lost(8001)]).toEqual([false, true])
  expect(contact.silentMs(8001)).toBe(7001)
  contact.renew(8001)
  expect(contact.lost(8002)).toBe(false)
})

test('tiles that go on alone start one after the other', () => {
  const contact = new Contact(0)
  const alone = (at: number): number[] => [0, 1, 2].filter((index) => contact.alone(at, index))
  expect([alone(5000), alone(5001), alone(5301), alone(5601)]).toEqual([[], [0], [0, 1], [0, 1, 2]])
})
