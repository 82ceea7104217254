// Owns a way to a server that a test can shut to WebSockets alone, as some networks are, or cut altogether.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

export interface SocketGate {
  url: string
  /** Shut: no socket opens any more, and open ones break. */
  shut: boolean
  /** Cut: nothing is answered any more, and what is open breaks. */
  cut: boolean
  close(): void
}

const UPGRADE = /^GET \/ws\//

/** Begins shut to sockets. */
export async function openSocketGate(serverUrl: string): Promise<SocketGate> {
  const { hostname, port } = new URL(serverUrl)
  const clients = new Set<Socket>()
  const sockets = new Set<Socket>()
  let shut = true
  let cut = false
  const server = createServer((client) => {
    client.on('error', () => client.destroy())
    if (cut) return client.destroy()
    clients.add(client)
    client.on('close', () => clients.delete(client))
    client.once('data', (first) => {
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
    close() {
      for (const client of clients) client.destroy()
      server.close()
    },
  }
}
