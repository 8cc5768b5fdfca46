import { expect, test } from 'vitest'
import { Refused, readAnswer } from '../../src/web/pages/refusal.js'

const problem = (status: number, body: unknown): Response => Response.json(body, { status })

test('an answer is read as it is', async () => {
  const answer = { now: 1, version: 'v', streams: [] }
  expect(await readAnswer(Response.json(answer))).toEqual(answer)
})

test.each([
  [problem(401, { code: 'unauthenticated', reason: 'expired' }), /^This link has expired\./],
  [problem(401, { code: 'unauthenticated', reason: 'invalid' }), /^This link is not valid\./],
  [problem(401, { code: 'unauthenticated', reason: 'missing' }), /^You are not signed in\./],
  [problem(401, null), /^You are not signed in\./],
  [new Response('<html>', { status: 401 }), /^You are not signed in\./],
  [problem(403, { code: 'forbidden' }), /^You may not see this\./],
])('a refusal is told in words', async (response, words) => {
  const refusal: unknown = await readAnswer(response).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refused)
  expect(String(refusal)).toMatch(new RegExp(words.source.replace('^', '^Refused: ')))
})

test('any other failure passes', async () => {
  const trouble: unknown = await readAnswer(problem(503, {})).catch((error: unknown) => error)
  expect(trouble).not.toBeInstanceOf(Refused)
  expect(String(trouble)).toContain('503')
})
