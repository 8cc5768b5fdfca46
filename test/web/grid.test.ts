import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bestGrid } from '../../src/web/pages/grid.js'

const count = fc.integer({ min: 1, max: 36 })
const width = fc.integer({ min: 320, max: 7680 })
const height = fc.integer({ min: 320, max: 4320 })
const gap = fc.integer({ min: 0, max: 12 })

describe('the grid of a wall', () => {
  test.each([
    [1, 1, 1],
    [2, 2, 1],
    [4, 2, 2],
    [6, 3, 2],
    [9, 3, 3],
    [16, 4, 4],
    [25, 5, 5],
    [36, 6, 6],
  ])('%i cameras on a 4K screen: %i columns, %i rows', (n, columns, rows) => {
    expect(bestGrid(n, 3840, 2160, 6)).toMatchObject({ columns, rows, scrolls: false })
  })

  test('sixteen pictures fill a 4K screen', () => {
    const { tileWidth, tileHeight } = bestGrid(16, 3840, 2160, 6)
    expect((16 * tileWidth * tileHeight) / (3840 * 2160)).toBeGreaterThan(0.98)
  })

  test.each([
    ['upright', 3, 390, 844, 1],
    ['upright', 16, 390, 844, 2],
    ['on its side', 1, 844, 390, 1],
    ['on its side', 16, 844, 390, 3],
  ])('a phone held %s shows %i cameras in its width', (_how, n, w, h, columns) => {
    expect(bestGrid(n, w, h, 2).columns).toBe(columns)
  })

  test('every tile has its place, and nothing stands out of the screen unless it scrolls', () => {
    fc.assert(
      fc.property(count, width, height, gap, (n, w, h, g) => {
        const { columns, rows, tileWidth, tileHeight, scrolls } = bestGrid(n, w, h, g)
        expect(columns * rows).toBeGreaterThanOrEqual(n)
        expect(columns * (rows - 1)).toBeLessThan(n)
        expect(columns * tileWidth + (columns - 1) * g).toBeLessThanOrEqual(w)
        const used = rows * tileHeight + (rows - 1) * g
        expect(scrolls).toBe(used > h)
        if (w >= 600 && h >= 480) expect(scrolls).toBe(false)
      }),
    )
  })

  test('no other number of columns would show larger pictures', () => {
    fc.assert(
      fc.property(count, count, fc.integer({ min: 600, max: 7680 }), (n, other, w) => {
        const h = 1080
        const best = bestGrid(n, w, h, 0)
        const columns = Math.min(n, other)
        const cell = Math.min(w / columns, ((h / Math.ceil(n / columns)) * 16) / 9)
        expect(best.tileWidth).toBeGreaterThanOrEqual(Math.floor(cell))
      }),
    )
  })
})
