#!/usr/bin/env node
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/strict-boolean-expressions, typescript/unbound-method --
   the one file without types: */
// Plain JavaScript, and old enough in style for any Node to read: it has to run far enough to say
// that a newer one is needed.
import { readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = 24
const packageRoot = new URL('../../', import.meta.url).href

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`kvs-hls-gateway needs Node ${OLDEST_NODE} or newer, this is ${process.version}`)
  process.exit(1)
}

// Node strips types itself, except below node_modules: there this package does it for its own files.
if (packageRoot.includes('/node_modules/')) {
  // Its first use warns that it is experimental, which is nothing to an operator.
  const { emitWarning } = process
  process.emitWarning = () => {}
  nodeModule.stripTypeScriptTypes('')
  process.emitWarning = emitWarning
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(packageRoot) || !url.endsWith('.ts')) return nextLoad(url, context)
      const source = readFileSync(fileURLToPath(url), 'utf8')
      const stripped = nodeModule.stripTypeScriptTypes(source)
      return { format: 'module', source: stripped, shortCircuit: true }
    },
  })
}

// Types stripped and code compiled once are kept for the next start, which takes half as long then, and 20 MiB less. In the
// program's own folder, so that nobody can put code there who could not change the program; where that is not
// writable, or already set up by NODE_COMPILE_CACHE, this does nothing.
nodeModule.enableCompileCache(fileURLToPath(new URL('node_modules/.cache/compile', packageRoot)))

const { run } = await import('./main.ts')
// Exit, rather than wait for idle connections to end: what had to be closed has been.
process.exit(await run(process.argv.slice(2)))
