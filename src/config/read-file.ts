import { type FileHandle, open } from 'node:fs/promises'

const MAX_BYTES = 2 ** 20

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly expected: string; readonly got: string }

/** Reads a text file of at most 1 MiB; devices and pipes work too, and never more than that is read. */
export async function readFileText(path: string): Promise<FileText> {
  try {
    await using file = await open(path)
    return decode(await readStart(file, MAX_BYTES + 1))
  } catch (error) {
    return { ok: false, expected: 'a file that can be read', got: errorCode(error) }
  }
}

async function readStart(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes)
  let length = 0
  while (length < maxBytes) {
    const { bytesRead } = await file.read(buffer, length, maxBytes - length, null)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

function decode(bytes: Buffer): FileText {
  if (bytes.length > MAX_BYTES) return { ok: false, expected: 'at most 1 MiB of YAML', got: 'more' }
  if (bytes.includes(0)) return { ok: false, expected: 'YAML text', got: 'binary data' }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { ok: false, expected: 'YAML text in UTF-8', got: 'other bytes' }
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
