// Owns a way to a server that a test can shut to WebSockets alone, as some networks are, cut altogether, or let refuse.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

export interface SocketGate {
  url: string
  /** Shut: no socket opens any more, and open ones break. */
  shut: boolean
  /** Cut: nothing is answered any more, and what is open breaks. */
  cut: boolean
  /** Everything is answered with 503, and open sockets break. */
  refuses: boolean
  close(): void
}

const REFUSAL = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
const UPGRADE = /^GET \/ws\//

/** Begins shut to sockets. */
export async function openSocketGate(serverUrl: string): Promise<SocketGate> {
  const { hostname, port } = new URL(serverUrl)
  const clients = new Set<Socket>()
  const sockets = new Set<Socket>()
  let shut = true
  let cut = false
  let refuses = false
  const server = createServer((client) => {
    client.on('error', () => client.destroy())
    if (cut) return client.destroy()
    clients.add(client)
    client.on('close', () => clients.delete(client))
    client.once('data', (first) => {
      if (refuses) return client.end(REFUSAL)
      const isSocket = UPGRADE.test(first.toString('latin1'))
      if (isSocket && shut) return client.destroy()
      const upstream = connect(Number(port), hostname)
      upstream.on('error', () => upstream.destroy())
      if (isSocket) sockets.add(client)
      client.on('close', () => sockets.delete(client))
      upstream.write(first)
      client.pipe(upstream).pipe(client)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get shut() {
      return shut
    },
    set shut(wanted) {
      shut = wanted
      if (shut) for (const socket of sockets) socket.destroy()
    },
    get cut() {
      return cut
    },
    set cut(wanted) {
      cut = wanted
      if (cut) for (const client of clients) client.destroy()
    },
    get refuses() {
      return refuses
    },
    set refuses(wanted) {
      refuses = wanted
      if (refuses) for (const client of clients) client.destroy()
    },
    close() {
      for (const client of clients) client.destroy()
      server.close()
    },
  }
}
