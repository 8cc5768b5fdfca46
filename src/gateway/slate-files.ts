import type { Config } from '../config/config.ts'
import { type Fault, formatValue, type KeyPath } from '../config/fault.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import { readSlateFile, SLATE_FILE_EXPECTED, SlateFileError } from '../slate/slate-file.ts'

/** The operator's slates by path, each read once, however many streams show it. */
export type SlateFiles = ReadonlyMap<string, Movie>

/**
 * Reads the operator's slates.
 * @throws SlateFileError
 */
export async function openSlateFiles(config: Config): Promise<SlateFiles> {
  const movies = new Map<string, Movie>()
  for (const { path } of slatePaths(config)) {
    if (!movies.has(path)) movies.set(path, await readSlateFile(path))
  }
  return movies
}

/**
 * Says what is wrong with the slate files of a configuration.
 * @param file what faults call it
 */
export async function slateFaults(file: string, config: Config): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  const problems = new Map<string, string | undefined>()
  for (const { key, path } of slatePaths(config)) {
    if (!problems.has(path)) problems.set(path, await problemOf(path))
    const got = problems.get(path)
    if (got === undefined) continue
    faults.push({ file, line: undefined, key, expected: SLATE_FILE_EXPECTED, got })
  }
  return faults
}

interface SlatePath {
  readonly key: KeyPath
  readonly path: string
}

function slatePaths({ streams, dynamicStreams }: Config): readonly SlatePath[] {
  const all = [
    ...streams.map(({ name, slateFile }) => ({ of: ['streams', name], slateFile })),
    ...dynamicStreams.map(({ slateFile }, i) => ({ of: ['dynamicStreams', i], slateFile })),
  ]
  return all.flatMap(({ of, slateFile }) =>
    slateFile === undefined ? [] : [{ key: [...of, 'slateFile'], path: slateFile }],
  )
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
