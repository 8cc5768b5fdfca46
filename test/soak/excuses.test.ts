import { expect, test } from 'vitest'
import { Excuses } from './excuses.ts'

const lasting = (kind: string, atMs: number, lastedMs: number) => ({
  kind,
  url: '/',
  detail: '',
  atMs,
  lastedMs,
})

test('stalls and skips are excused as long as the camera gives too little, and no longer', () => {
  const excuses = new Excuses(new Map([['relay', 'lobby']]))
  const covers = (kind: string, atMs: number, lastedMs: number, stream = 'lobby'): boolean =>
    excuses.covers(stream, lasting(kind, atMs, lastedMs))
  const close = excuses.open('lobby', ['starves'], 1_000)
  expect(covers('stall', 9_000, 100)).toBe(true)
  close(2_000)

  expect(covers('fell-behind', 1_500, 0)).toBe(true)
  expect(covers('stall', 1_500, 100)).toBe(true)
  expect(covers('stall', 500, 600)).toBe(true)
  expect(covers('stall', 500, 600, 'relay')).toBe(true)
  expect(covers('stall', 1_500, 600)).toBe(false)
  expect(covers('stall', 2_001, 100)).toBe(false)
  expect(covers('stall', 500, 100)).toBe(false)
  expect(covers('stall', 1_500, 100, 'yard')).toBe(false)
  expect(covers('refused', 1_500, 0)).toBe(false)
  expect(covers('http-503', 1_500, 0)).toBe(false)
})

test('where something stands in for the camera, its absence is no excuse for long', () => {
  const excuses = new Excuses()
  const close = excuses.open('hall', ['starves'], 0, 15_000)
  expect(excuses.covers('hall', lasting('stall', 10_000, 4_000))).toBe(true)
  expect(excuses.covers('hall', lasting('stall', 10_000, 6_000))).toBe(false)
  close(90_000)
  expect(excuses.covers('hall', lasting('stall', 80_000, 1_000))).toBe(false)
})

test('while a slate is shown nothing is recorded, and clips of it are none', () => {
  const excuses = new Excuses()
  excuses.open('hall', ['records nothing'], 100_000)(200_000)
  expect(excuses.covers('hall', lasting('no-recording', 120_000, 60_000))).toBe(true)
  expect(excuses.covers('hall', lasting('no-recording', 190_000, 60_000))).toBe(false)
  expect(excuses.covers('hall', lasting('stall', 150_000, 1_000))).toBe(false)
})

test('each harm excuses what it does, and nothing else', () => {
  const excuses = new Excuses()
  excuses.open('lobby', ['refuses', 'changes codec'], 100_000)(200_000)
  const covers = (kind: string, atMs: number, lastedMs = 0): boolean =>
    excuses.covers('lobby', lasting(kind, atMs, lastedMs))
  expect(covers('refused', 150_000)).toBe(true)
  expect(covers('refused', 201_000)).toBe(false)
  expect(covers('given-up', 150_000)).toBe(false)
  expect(covers('stall', 150_000)).toBe(false)
  expect(covers('codec-change', 50_000, 60_000)).toBe(true)
  expect(covers('codec-change', 50_000, 20_000)).toBe(false)
  expect(covers('no-recording', 150_000, 10_000)).toBe(false)
})

test('a range without a recording is excused only if the camera was away for all of it', () => {
  const excuses = new Excuses()
  excuses.open('lobby', ['starves'], 100_000)(200_000)
  const covers = (startMs: number, endMs: number): boolean =>
    excuses.covers('lobby', lasting('no-recording', startMs, endMs - startMs))
  expect(covers(110_000, 190_000)).toBe(true)
  expect(covers(60_000, 190_000)).toBe(false)
  expect(covers(110_000, 210_000)).toBe(false)
})
