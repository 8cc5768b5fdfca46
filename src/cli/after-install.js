// Compiles the program once after `npm ci`, so that its first start is as quick as all others: also that of a container
// which runs as somebody who cannot write here. Nothing depends on it: package.json passes over its failures.
import { flushCompileCache } from 'node:module'

await import('./compile.js')
await import('./main.ts')
const { loadAhead } = await import('../gateway/load-ahead.ts')
await loadAhead()
flushCompileCache()
