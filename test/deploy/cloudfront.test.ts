import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type CollectionTag, parse, type ScalarTag } from 'yaml'
import { z } from 'zod'

/** The CloudFront distribution that we ship, against the addresses and the queries that the gateway has. */
const read = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../config/${file}`, import.meta.url)), 'utf8')

/** CloudFormation's short forms: what they stand for matters to nobody here but as text. */
const TAGS = ['Ref', 'Sub', 'Equals', 'Not', 'If', 'GetAtt'].flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => `${name} ${text}` } satisfies ScalarTag,
  { tag: `!${name}`, collection: 'seq' } satisfies CollectionTag,
])

const behaviour = z.object({
  PathPattern: z.string(),
  CachePolicyId: z.string(),
  AllowedMethods: z.tuple([z.literal('GET'), z.literal('HEAD'), z.literal('OPTIONS')]),
  ViewerProtocolPolicy: z.literal('redirect-to-https'),
})
const cachePolicy = z.object({
  Properties: z.object({
    CachePolicyConfig: z.object({
      MinTTL: z.literal(0),
      DefaultTTL: z.literal(0),
      ParametersInCacheKeyAndForwardedToOrigin: z.object({
        CookiesConfig: z.object({ CookieBehavior: z.literal('none') }),
        HeadersConfig: z.object({ HeaderBehavior: z.literal('none') }),
        QueryStringsConfig: z.object({ QueryStrings: z.array(z.string()).default([]) }),
      }),
    }),
  }),
})
const template = z.object({
  Resources: z.object({
    ListCachePolicy: cachePolicy,
    ClipCachePolicy: cachePolicy,
    MediaCachePolicy: cachePolicy,
    Distribution: z.object({
      Properties: z.object({
        DistributionConfig: z.object({
          CacheBehaviors: z.array(behaviour),
          CustomErrorResponses: z.array(
            z.object({ ErrorCode: z.int(), ErrorCachingMinTTL: z.int() }),
          ),
          DefaultCacheBehavior: z.object({ CachePolicyId: z.string() }),
        }),
      }),
    }),
  }),
})

const { Resources } = template.parse(parse(read('deploy/cloudfront.yaml'), { customTags: TAGS }))
const { DistributionConfig: distribution } = Resources.Distribution.Properties

/** The policy under which CloudFront keeps what an address gives: the first pattern that matches counts. */
function policyOf(path: string): string {
  const found = distribution.CacheBehaviors.find(({ PathPattern }) => {
    const form = PathPattern.replaceAll(/[.]/g, '\\.').replaceAll('*', '.*').replaceAll('?', '.')
    return new RegExp(`^/?${form}$`).test(path)
  })
  return (found ?? distribution.DefaultCacheBehavior).CachePolicyId.replace('Ref ', '')
}

test.each([
  ['/hls/lobby/master.m3u8', 'ListCachePolicy'],
  ['/hls/lobby/video.m3u8', 'ListCachePolicy'],
  ['/hls/lobby/dvr-31/video.m3u8', 'ListCachePolicy'],
  ['/s/1796083200.k1.bG9iYnktKg.Xb3/hls/lobby/master.m3u8', 'ListCachePolicy'],
  ['/dash/lobby/manifest.mpd', 'ListCachePolicy'],
  ['/hls/lobby/video/12-9f3c.m4s', 'MediaCachePolicy'],
  ['/hls-ts/lobby/12-9f3c.ts', 'MediaCachePolicy'],
  ['/dash/lobby/video/12-9f3c.m4s', 'MediaCachePolicy'],
  ['/s/1796083200.k1.bG9iYnktKg.Xb3/hls/lobby/video/init-9f3c.mp4', 'MediaCachePolicy'],
  ['/web/9f3c/player.js', 'MediaCachePolicy'],
  ['/clip/lobby.mp4', 'ClipCachePolicy'],
  ['/s/1796083200.k1.bG9iYnktKg.Xb3/clip/lobby.mp4', 'ClipCachePolicy'],
])('%s is kept as %s says', (path, expected) => {
  expect(policyOf(path)).toBe(expected)
})

test.each(['/', '/play/lobby', '/wall', '/web/feed', '/web/streams', '/s/t/web/feed', '/healthz'])(
  '%s is each viewer’s own',
  (path) => {
    expect(policyOf(path)).toMatch(/^[0-9a-f-]{36}$/)
  },
)

test('queries that are in the key are those of the cache in nginx', () => {
  const queriesOf = ({ Properties }: z.infer<typeof cachePolicy>): readonly string[] =>
    Properties.CachePolicyConfig.ParametersInCacheKeyAndForwardedToOrigin.QueryStringsConfig
      .QueryStrings
  const inNginx = Array.from(
    read('cdn/nginx.conf').matchAll(/^map \$arg_(\w+)/gm),
    ([, name]) => name,
  )
  expect(queriesOf(Resources.ListCachePolicy)).toEqual(inNginx)
  expect(queriesOf(Resources.ClipCachePolicy)).toEqual(['start', 'end'])
  expect(queriesOf(Resources.MediaCachePolicy)).toEqual([])
})

test('no error is kept for longer than a second of its own accord', () => {
  const kept = new Map(
    distribution.CustomErrorResponses.map(({ ErrorCode, ErrorCachingMinTTL }) => [
      ErrorCode,
      ErrorCachingMinTTL,
    ]),
  )
  for (const status of [404, 500, 502, 503, 504]) expect(kept.get(status)).toBeLessThanOrEqual(1)
})
