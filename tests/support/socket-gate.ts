// Owns a way to a server that lets everything through but WebSockets, as some networks do; opened and shut by a test.
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

export interface SocketGate {
  url: string
  /** Shut: no socket opens any more, and open ones break. */
  shut: boolean
  close(): void
}

const UPGRADE = /^GET \/ws\//

export async function openSocketGate(serverUrl: string): Promise<SocketGate> {
  const { hostname, port } = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let shut = true
  const server = createServer((client) => {
    client.on('error', () => client.destroy())
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
    close: () => void server.close(),
  }
}
