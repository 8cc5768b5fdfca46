import { hasTool, TOOLS, type Tool } from './tools.ts'

/** Runs before all tests. A suite that is green because half of it was skipped helps nobody. */
export default function reportTools(): void {
  const missing = (Object.keys(TOOLS) as Tool[]).filter((tool) => !hasTool(tool))
  if (missing.length === 0) return
  const lines = missing.map((tool) => `  ${tool}: ${TOOLS[tool]}`)
  const report = `Not installed, so not tested:\n${lines.join('\n')}`
  if (process.env['CI'] !== undefined) throw new Error(report)
  console.warn(`\n${report}\n`)
}
