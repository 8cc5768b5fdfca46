/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/strict-boolean-expressions, typescript/unbound-method --
   a file without types: */
// How Node makes of our TypeScript what it runs, and how much memory it takes. Has to be there before the first .ts file.
import { readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

// What is young is collected every 4 MiB, not every 16: until then the bytes that fragments arrived in stay beside them (G18).
// Before anything is compiled, because what was compiled is kept for the same flags only.
setFlagsFromString('--max-semi-space-size=4')

const packageRoot = new URL('../../', import.meta.url)

// What was compiled once is kept for later starts, which then take half as long and 25 MiB less. In the program's own
// folder, so that nobody can put code there who could not change the program. Where that cannot be written, or
// NODE_COMPILE_CACHE names another folder, this does nothing.
nodeModule.enableCompileCache(fileURLToPath(new URL('node_modules/.cache/compile', packageRoot)))

// Node strips types itself, except below node_modules: there this package does it for its own files.
if (packageRoot.href.includes('/node_modules/')) {
  // Its first use warns that it is experimental, which is nothing to an operator.
  const { emitWarning } = process
  process.emitWarning = () => {}
  nodeModule.stripTypeScriptTypes('')
  process.emitWarning = emitWarning
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(packageRoot.href) || !url.endsWith('.ts')) return nextLoad(url, context)
      const source = readFileSync(fileURLToPath(url), 'utf8')
      const stripped = nodeModule.stripTypeScriptTypes(source)
      return { format: 'module', source: stripped, shortCircuit: true }
    },
  })
}
