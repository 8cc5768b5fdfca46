import { expect, test } from 'vitest'
import { run } from '../../src/cli/main.ts'
import { type ServeParts, serve } from '../../src/cli/serve.ts'
import type { Config } from '../../src/config/config.ts'
import type { GatewayDeps, RunningGateway } from '../../src/gateway.ts'
import { ONE_STREAM, parse } from '../config/support.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { FakeTerminal } from './fake-terminal.ts'

/** Everything around the command, recording the order of what happens to it. */
class Stage implements ServeParts {
  readonly terminal = new FakeTerminal()
  readonly clock = new ManualClock()
  readonly events: string[] = []
  config: Config | undefined
  reread: GatewayDeps['reread']
  demo = parse(ONE_STREAM)
  retired = false
  closeGateway: () => Promise<void> = () => Promise.resolve()

  readonly startDemo = () => {
    return Promise.resolve({
      name: 'demo',
      config: this.demo,
      [Symbol.asyncDispose]: () => this.#note('emulator closed'),
    })
  }

  readonly startGateway = (config: Config, { reread }: GatewayDeps): Promise<RunningGateway> => {
    this.config = config
    this.reread = reread
    return Promise.resolve({
      publicUrl: 'http://127.0.0.1:8080',
      adminUrl: 'http://127.0.0.1:8081',
      retire: () => {
        this.retired = true
      },
      reload: () => {
        this.events.push('reloaded')
        return Promise.reject(new Error('a fault, told by the gateway'))
      },
      close: async () => {
        await this.closeGateway()
        await this.#note('gateway closed')
      },
    })
  }

  run(options: Partial<Record<string, string>> = {}) {
    return serve({ operands: [], options }, this.terminal, this)
  }

  #note(event: string): Promise<void> {
    this.events.push(event)
    return Promise.resolve()
  }
}

test('says in one line where to look, the base URL first', async () => {
  const stage = new Stage()
  stage.terminal.stop()
  await stage.run()
  expect(stage.terminal.outLines).toEqual([
    'kvs-hls-gateway is ready: http://127.0.0.1:8080 · wall http://127.0.0.1:8080/wall?streams=lobby · admin http://127.0.0.1:8081',
  ])
})

test('runs until it is asked to stop, then closes the gateway before its upstream', async () => {
  const stage = new Stage()
  const running = stage.run()
  await expect.poll(() => stage.terminal.outLines.length).toBe(1)
  expect(stage.events).toEqual([])
  stage.terminal.stop()
  expect(await running).toBe(0)
  expect(stage.events).toEqual(['gateway closed', 'emulator closed'])
})

test('serves on for server.drainDelay before it closes, and says at once that it is not ready', async () => {
  const stage = new Stage()
  stage.demo = parse(`server: { drainDelay: 5s }\n${ONE_STREAM}`)
  const running = stage.run()
  await expect.poll(() => stage.terminal.outLines.length).toBe(1)
  expect(stage.retired).toBe(false)
  stage.terminal.stop()
  await expect.poll(() => stage.retired).toBe(true)
  stage.clock.advance(4_999)
  expect(stage.events).toEqual([])
  stage.clock.advance(1)
  expect(await running).toBe(0)
  expect(stage.events).toEqual(['gateway closed', 'emulator closed'])
})

test('does not wait for a close that takes for ever', async () => {
  const stage = new Stage()
  stage.closeGateway = () => new Promise(() => {})
  stage.terminal.stop()
  const running = stage.run()
  const failed = expect(running).rejects.toThrow('closing took longer than 9500 ms')
  await stage.clock.runUntil(() => stage.events.includes('emulator closed'), { stepMs: 500 })
  await failed
})

test('does not wait for a start that takes for ever', async () => {
  const stage = new Stage()
  stage.terminal.stop()
  const running = serve({ operands: [], options: {} }, stage.terminal, {
    startDemo: stage.startDemo,
    clock: stage.clock,
    startGateway: () => new Promise(() => {}),
  })
  const failed = expect(running).rejects.toThrow('starting took longer than 6000 ms')
  await stage.clock.runUntil(() => stage.events.includes('emulator closed'), { stepMs: 500 })
  await failed
})

test('SIGHUP reloads, also one that came during the start; a fault does not end it', async () => {
  const stage = new Stage()
  const running = stage.run()
  stage.terminal.reload()
  await expect.poll(() => stage.events).toEqual(['reloaded'])
  stage.terminal.reload()
  expect(stage.events).toEqual(['reloaded', 'reloaded'])
  // The demo has no file.
  expect(stage.reread).toBeUndefined()
  stage.terminal.stop()
  expect(await running).toBe(0)
})

test('--port and --admin-port win', async () => {
  const stage = new Stage()
  stage.terminal.stop()
  await stage.run({ stream: 'cam', region: 'us-west-2', port: '0', 'admin-port': '9001' })
  expect(stage.config).toMatchObject({
    server: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 9001 },
    aws: { region: 'us-west-2' },
    streams: [{ name: 'cam', source: { kind: 'kvs', streamName: 'cam' } }],
  })
})

test('a port in use is one line and exit code 1', async () => {
  const { createServer } = await import('node:net')
  const other = createServer()
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve)
  })
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const terminal = new FakeTerminal()
  expect(await run(['emulator', '--port', String(port)], terminal)).toBe(1)
  expect(terminal.errLines).toEqual([
    `kvs-hls-gateway: port ${port} on 127.0.0.1 is in use by another process`,
  ])
  await new Promise((resolve) => {
    other.close(resolve)
  })
})
