// Holds the fault proxy to what a network may do: bytes come late, or never, but in order and unchanged.
import { afterEach, expect, test } from 'bun:test'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FaultProxy } from '../../dev/chaos/fault-proxy.ts'

const HOST = '127.0.0.1'
const NUMBERS = 60
const WITHIN_MS = 5_000
const POLL_MS = 5
const open: { close(): void }[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

/** A server that sends everything back, behind a proxy, and somebody connected to it. */
async function echoed() {
  const server: Server = createServer((socket) => void socket.on('error', () => {}).pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  const proxy = await FaultProxy.open((server.address() as { port: number }).port)
  const socket: Socket = connect({ host: HOST, port: proxy.port, noDelay: true })
  const seen = { text: '', closed: false }
  socket.on('data', (chunk) => (seen.text += chunk.toString()))
  socket.on('error', () => {})
  socket.on('close', () => (seen.closed = true))
  open.push({ close: () => socket.destroy() }, proxy, server)
  return { proxy, socket, seen }
}

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + WITHIN_MS
  while (!what()) {
    if (Date.now() > deadline) throw new Error('it did not come to that')
    await Bun.sleep(POLL_MS)
  }
}

test('bytes that were slowed stay before those sent after the delay is over', async () => {
  const { proxy, socket, seen } = await echoed()
  let sent = ''
  for (let n = 0; n < NUMBERS; n++) {
    if (n === 10) proxy.set('delay', { delayMs: 60 })
    if (n === 30) proxy.set('pass')
    socket.write(`${n} `)
    sent += `${n} `
    await Bun.sleep(2)
  }
  await until(() => seen.text.length === sent.length)
  expect(seen.text).toBe(sent)
})

test('a parted link brings everything once it is mended, on old and new connections', async () => {
  const { proxy, socket, seen } = await echoed()
  socket.write('before ')
  await until(() => seen.text === 'before ')
  proxy.set('hold')
  socket.write('while ')
  await Bun.sleep(50)
  expect(seen.text).toBe('before ')
  proxy.set('pass')
  await until(() => seen.text === 'before while ')
})

test('a connection whose answers were lost can only be reset', async () => {
  const { proxy, socket, seen } = await echoed()
  socket.write('before ')
  await until(() => seen.text === 'before ')
  proxy.set('no-answers')
  socket.write('lost ')
  await Bun.sleep(50)
  proxy.set('pass')
  await until(() => seen.closed)
  expect(seen.text).toBe('before ')
})
