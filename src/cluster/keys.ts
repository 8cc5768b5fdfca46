/**
 * Names what the nodes keep in Redis. The prefix stands in braces, so that all of it lies in one hash slot of a Redis
 * Cluster and one script may touch several keys.
 */
export class ClusterKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = `{${prefix}}`
  }

  /** What each node tells of itself. */
  get nodes(): string {
    return `${this.#prefix}:nodes`
  }

  /** Who owns which stream. */
  get leases(): string {
    return `${this.#prefix}:leases`
  }

  /** Until when each stream is wanted. */
  get wishes(): string {
    return `${this.#prefix}:wishes`
  }

  /** The channel on which is told that a stream has no owner any more. */
  get freed(): string {
    return `${this.#prefix}:freed`
  }

  /** What is known of a stream: a hash. */
  stream(name: string): string {
    return `${this.#prefix}:stream:${name}`
  }

  /** The numbers of a journal's pages: a sorted set. */
  pages(name: string): string {
    return `${this.#prefix}:pages:${name}`
  }

  /** The lines of a journal's page; without a number, what the names of all begin with. */
  page(name: string, number: number | ''): string {
    return `${this.#prefix}:page:${name}:${number}`
  }

  /** What has changed of it since: a list, and the channel on which each change is told. */
  facts(name: string): string {
    return `${this.#prefix}:facts:${name}`
  }
}
