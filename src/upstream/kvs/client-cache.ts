/** KVS data hosts are cells shared by many streams, so a region has few; each role has clients of its own. */
const MAX_CLIENTS = 128

/** SDK clients by what they talk to; each keeps its own sockets. */
export class ClientCache<Client extends { destroy(): void }> {
  readonly #clients = new Map<string, Client>()

  get(key: string, create: () => Client): Client {
    const client = this.#clients.get(key) ?? create()
    // Last in the map is last used.
    this.#clients.delete(key)
    this.#clients.set(key, client)
    this.#evict()
    return client
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy()
    this.#clients.clear()
  }

  #evict(): void {
    if (this.#clients.size <= MAX_CLIENTS) return
    const [oldest] = this.#clients
    if (oldest === undefined) return
    this.#clients.delete(oldest[0])
    oldest[1].destroy()
  }
}
