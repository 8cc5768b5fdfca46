import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { translate } from '../../src/upstream/errors.ts'
import { RedactedError } from '../../src/upstream/redacted-error.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'

const TOKEN = `CiAbbb${'x-Y_9'.repeat(29)}~`
const HOST = 'b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'
const URL_TEXT = `https://${HOST}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${TOKEN}`

test('G16: an error is kept without what the library hung on it', () => {
  const original = Object.assign(new Error(`connect to ${URL_TEXT} failed`), {
    code: 'ECONNREFUSED',
    request: { path: URL_TEXT },
    $response: { body: URL_TEXT },
  })
  const shown = inspect(translate(original), { depth: 10, showHidden: true })

  expect(shown).toContain('ECONNREFUSED')
  expect(shown).not.toContain(TOKEN)
  expect(shown).not.toContain(HOST)
  expect(new RedactedError(original).stack).not.toContain(TOKEN)
})

test('G16: a secret URL shows only to who asks for it', () => {
  const url = new SecretUrl(new URL(URL_TEXT))
  const shown = `${String(url)} ${JSON.stringify({ url })} ${inspect(url, { showHidden: true, depth: 10 })}`

  expect(shown).not.toContain(TOKEN)
  expect(url.reveal().href).toBe(URL_TEXT)
})
