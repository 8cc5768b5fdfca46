import { createDecipheriv } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY, makeEncryptedHls } from '../support/ffmpeg-hls.ts'
import { ForeignOrigin } from '../support/foreign-origin.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during } from '../support/pace.ts'
import { type Answer, ask } from '../support/raw-http.ts'
import { hasTool } from '../support/tools.ts'
import { type Site, startSite } from './support/site.ts'

let dir: string
beforeAll(async () => {
  dir = await makeEncryptedHls('MPEG-TS')
})
afterAll(() => rm(dir, { recursive: true, force: true }))

interface Encrypted extends AsyncDisposable {
  readonly origin: ForeignOrigin
  readonly site: Site
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>
}

async function follow(
  edit: (text: string) => string = (text) => text,
  defaults: Readonly<Record<string, unknown>> = {},
): Promise<Encrypted> {
  const clock = new ManualClock()
  const origin = await ForeignOrigin.start({ clock, dir })
  origin.edit = edit
  const headers = { authorization: 'Bearer hunter5' }
  const site = await startSite({ clock, url: origin.url('master.m3u8'), headers, defaults })
  // The monitor reads segments, which nobody can here.
  site.watching = false
  const { publicUrl } = site.gateway
  return {
    origin,
    site,
    get: (path, asked) =>
      during(clock, ask(`${publicUrl}/hls/lobby/${path}`, { headers: asked ?? {} })),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

interface Listed {
  readonly key: string
  readonly iv: Buffer
  readonly uri: string
}

/** Segments with the EXT-X-KEY in force. */
function read(playlist: string): readonly Listed[] {
  let [key, iv] = ['', Buffer.alloc(0)]
  return playlist.split('\n').flatMap((line) => {
    const [, uri, digits] =
      /^#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)",IV=0x(\w{32})$/.exec(line) ?? []
    if (uri !== undefined && digits !== undefined) {
      key = uri
      iv = Buffer.from(digits, 'hex')
    }
    return line === '' || line.startsWith('#') ? [] : [{ key, iv, uri: line }]
  })
}

/** Whether it is MPEG-TS from its first packet to its last. */
function isTransportStream(bytes: Buffer): boolean {
  const packets = bytes.length / 188
  return (
    Number.isInteger(packets) &&
    Array.from({ length: packets }, (_, i) => bytes[i * 188]).every((byte) => byte === 0x47)
  )
}

describe.skipIf(!hasTool('ffmpeg'))('media that are encrypted', () => {
  test.each([
    ['with the IV of each segment', (text: string) => text],
    ['without, so that it is the number at the origin', withoutIv],
  ])('are listed as they are, %s', async (_, edit) => {
    await using encrypted = await follow(edit)
    const { site, get } = encrypted
    await get('master.m3u8')
    await site.pass(6_000)
    const list = read(String((await get('video.m3u8')).body))
    expect(list.length).toBeGreaterThan(5)
    for (const { key, iv, uri } of list) {
      expect(uri).toMatch(/^video\/\d+-[0-9a-f]{16}\.ts$/)
      const answer = await get(uri)
      expect(answer.headers['content-type']).toBe('video/mp2t')
      const decipher = createDecipheriv('aes-128-cbc', (await get(key)).body, iv)
      const clear = Buffer.concat([decipher.update(answer.body), decipher.final()])
      expect(isTransportStream(clear)).toBe(true)
    }
    expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason: null })
  })

  test('G17: a key goes through, unkept, and nothing of the viewer with it', async () => {
    await using encrypted = await follow()
    const { origin, get } = encrypted
    await get('master.m3u8')
    const [first] = read(String((await get('video.m3u8')).body))
    if (first === undefined) throw new Error('nothing listed')
    expect(first.key).toMatch(/^key\/[0-9a-f]{32}$/)
    const viewer = { cookie: 'viewer=1', authorization: 'Bearer viewer', 'x-viewer': '1' }
    for (const path of [first.key, `${first.key}?url=http://127.0.0.1/`]) {
      const { status, headers, body } = await get(path, viewer)
      expect(status).toBe(200)
      expect(body).toEqual(KEY)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
      })
    }
    const asked = origin.requests.filter(({ path }) => path.includes('secret'))
    expect(asked.map(({ path }) => path)).toEqual(Array(2).fill('/secret.key?token=hunter4'))
    for (const { headers } of asked) {
      expect(headers).toMatchObject({ authorization: 'Bearer hunter5' })
      expect(Object.keys(headers)).not.toContain('cookie')
      expect(Object.keys(headers)).not.toContain('x-viewer')
    }
  })

  test.each([
    'key/0123456789abcdef0123456789abcdef',
    'key/x',
    'key/',
    'key/a/b',
    'key/..%2fsecret.key',
  ])('G17: %s, which no playlist names, is nowhere', async (path) => {
    await using encrypted = await follow()
    await encrypted.get('master.m3u8')
    expect((await encrypted.get(path)).status).toBe(404)
    expect(encrypted.origin.requests.filter((one) => one.path.includes('secret'))).toEqual([])
  })

  test.each([
    [403, {}, 'upstream_not_authorized'],
    [500, {}, 'upstream_unavailable'],
    [302, { location: 'http://127.0.0.1:1/hunter6' }, 'upstream_unavailable'],
    [200, { 'content-length': '1000000' }, 'upstream_unavailable'],
  ])('a key that is refused with %i is a problem in our words', async (status, headers, code) => {
    await using encrypted = await follow()
    const { origin, get } = encrypted
    await get('master.m3u8')
    const [first] = read(String((await get('video.m3u8')).body))
    let asked = 0
    origin.tamper = (path, response) => {
      if (!path.includes('secret')) return false
      asked += 1
      response.writeHead(status, headers).end('hunter7')
      return true
    }
    const answer = await get(first?.key ?? '')
    expect(answer.status).toBe(502)
    expect(asked).toBe(1)
    expect(JSON.parse(String(answer.body))).toMatchObject({ code })
    expect(JSON.stringify(answer.headers) + String(answer.body)).not.toContain('hunter')
  })

  test.each<[string, string]>([
    ['in chunks', 'transfer-encoding: chunked'],
    ['whose end nothing marks', 'connection: close'],
  ])('a key %s is one, too', async (_, framing) => {
    await using encrypted = await follow()
    const { origin, get } = encrypted
    await get('master.m3u8')
    const [first] = read(String((await get('video.m3u8')).body))
    origin.tamper = (path, response) => {
      if (!path.includes('secret')) return false
      const [name = '', value = ''] = framing.split(': ')
      response.useChunkedEncodingByDefault = name === 'transfer-encoding'
      response.writeHead(200, { [name]: value })
      response.write(KEY.subarray(0, 5))
      response.end(KEY.subarray(5))
      return true
    }
    const { status, headers, body } = await get(first?.key ?? '')
    expect(status).toBe(200)
    expect(headers['content-length']).toBe('16')
    expect(body).toEqual(KEY)
  })

  test('an origin that begins to encrypt is followed on', async () => {
    let clear = true
    await using encrypted = await follow((text) =>
      clear ? text.replaceAll(/#EXT-X-KEY.*\n/g, '') : text,
    )
    const { site, get } = encrypted
    clear = false
    await site.pass(1_000)
    await get('master.m3u8')
    await site.pass(10_000)
    expect(
      read(String((await get('video.m3u8')).body)).every(({ uri }) => uri.endsWith('.ts')),
    ).toBe(true)
  })

  test('no slate can follow: the list is held', async () => {
    await using encrypted = await follow((text) => text, { onSignalLoss: 'slate' })
    const { site, origin, get } = encrypted
    await get('master.m3u8')
    let held: string | undefined
    origin.edit = (text) => {
      held ??= text
      return held
    }
    await site.pass(5_000)
    const before = String((await get('video.m3u8')).body)
    await site.pass(15_000)
    expect(await site.admin.stream('lobby')).toMatchObject({ state: 'stale' })
    expect(String((await get('video.m3u8')).body)).toBe(before)
  })

  test('have no past to be listed', async () => {
    await using encrypted = await follow((text) => text, { dvr: '10m', activation: 'always' })
    const { site, get } = encrypted
    await site.pass(30_000)
    expect((await get('video.m3u8')).status).toBe(200)
    const now = site.clock.now() / 1_000
    for (const range of [`start=${now - 15}`, `start=${now - 15}&end=${now - 5}`]) {
      const { status, body } = await get(`master.m3u8?${range}`)
      expect([status, JSON.parse(String(body))]).toMatchObject([404, { code: 'no_recording' }])
    }
  })

  test('nothing secret is told', async () => {
    await using encrypted = await follow()
    const { site, get } = encrypted
    const master = await get('master.m3u8')
    await site.pass(5_000)
    const told = [master, await get('video.m3u8'), await ask(`${site.gateway.adminUrl}/metrics`)]
    const words = told.map(({ headers, body }) => JSON.stringify(headers) + String(body)).join()
    expect(words + JSON.stringify(site.lines)).not.toMatch(/hunter|secret\.key/)
  })
})

function withoutIv(text: string): string {
  return text.replaceAll(/,IV=0x\w+/g, '')
}
