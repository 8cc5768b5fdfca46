import { isatty } from 'node:tty'
import type { Terminal } from './command.ts'

const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const

/** Returns the terminal of the real process. */
export function processTerminal(): Terminal {
  return {
    env: process.env,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    onReload,
    untilStopped: stopSignal,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    // NO_COLOR and the like are heeded by Node.
    isColoured: process.stdout.isTTY && process.stdout.hasColors(),
  }
}

/** Calls back at each SIGHUP, unless it says that the terminal was closed: then the process is asked to stop. */
function onReload(callback: () => void): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd))
  process.on('SIGHUP', () => {
    if (terminals.every((fd) => isatty(fd))) callback()
    else process.kill(process.pid, 'SIGTERM')
  })
}

/**
 * Resolves at the first SIGINT or SIGTERM. Who sends a second one does not want to wait any longer:
 * the process ends at once, with the code that a shell gives a process killed by that signal.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    for (const [signal, number] of Object.entries(STOP_SIGNALS)) {
      process.on(signal, () => {
        if (asked) process.exit(128 + number)
        asked = true
        resolve()
      })
    }
  })
}
