#!/usr/bin/env node
// Plain JavaScript, and old enough in style for any Node to read: it has to run far enough to say
// that a newer one is needed.
const OLDEST_NODE = 24

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`kvs-hls-gateway needs Node ${OLDEST_NODE} or newer, this is ${process.version}`)
  process.exit(1)
}

// Node would open its inspector to whoever may signal us, and to all who reach its port. `--disable-sigusr1` (start.sh)
// keeps it shut before this line as well, and would leave the signal to end the process.
process.on('SIGUSR1', () => {})

await import('./compile.js')
const { run } = await import('./main.ts')
// Exit, rather than wait for idle connections to end: what had to be closed has been.
process.exit(await run(process.argv.slice(2)))
