/** A source of bytes that does what a test says, when it says so. */
export class ScriptedSource {
  /** The offsets at which it was opened. */
  readonly opened: number[] = []
  cancelled = false
  #steps: { readonly chunk?: Buffer; readonly error?: Error }[] = []
  #wake: () => void = () => {}

  readonly open = async function* (
    this: ScriptedSource,
    offset: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    this.opened.push(offset)
    signal.addEventListener('abort', () => {
      this.cancelled = true
      this.#wake()
    })
    for (;;) {
      signal.throwIfAborted()
      const step = this.#steps.shift()
      if (step?.error !== undefined) throw step.error
      if (step?.chunk !== undefined) yield step.chunk
      else if (step !== undefined) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }.bind(this)

  push(chunk: Buffer): void {
    this.#step({ chunk })
  }

  end(): void {
    this.#step({})
  }

  fail(error: Error): void {
    this.#step({ error })
  }

  #step(step: { readonly chunk?: Buffer; readonly error?: Error }): void {
    this.#steps.push(step)
    this.#wake()
  }
}
