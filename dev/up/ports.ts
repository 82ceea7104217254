/** Decides whether a port can be had before anything is started for it. */
import { createConnection, createServer } from 'node:net'

const CONNECT_MS = 500

/** True when somebody listens on the port already, there or at this machine's own address. */
export async function isPortTaken(port: number, host: string): Promise<boolean> {
  return (await answers(port)) || !(await canListen(port, host))
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: CONNECT_MS })
    const end = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
