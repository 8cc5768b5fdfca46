/** The little of m3u8-parser 7 that we use; it ships no types. What it returns is checked with zod. */
declare module 'm3u8-parser' {
  export class Parser {
    readonly manifest: unknown
    push(text: string): void
    end(): void
    addParser(options: {
      expression: RegExp
      customType: string
      dataParser?: (line: string) => unknown
      segment?: boolean
    }): void
    addTagMapper(options: { expression: RegExp; map: (line: string) => string }): void
  }
}
