import type { Config } from '../config/config.ts'
import { type Fault, formatValue } from '../config/fault.ts'
import { readSlateFile, SLATE_FILE_EXPECTED, SlateFileError } from '../slate/slate-file.ts'

/** What is wrong with the slate files of a configuration. @param file what faults call it */
export async function slateFaults(file: string, { streams }: Config): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  for (const { name, slateFile } of streams) {
    const got = slateFile === undefined ? undefined : await problemOf(slateFile)
    if (got === undefined) continue
    const key = ['streams', name, 'slateFile']
    faults.push({ file, line: undefined, key, expected: SLATE_FILE_EXPECTED, got })
  }
  return faults
}

async function problemOf(path: string): Promise<string | undefined> {
  try {
    await readSlateFile(path)
    return undefined
  } catch (error) {
    if (!(error instanceof SlateFileError)) throw error
    return `${formatValue(path)}: ${error.message}`
  }
}
