/** Owns the reference: the least Bun.serve that holds sockets, publishes to them and answers a frame. */
import type { ServerWebSocket } from 'bun'

/** How often each tier is told, and which share of the sockets stands in it: its one argument, as JSON. */
interface Bare {
  port: number
  answers: string[]
  tiers: { name: string; everyMs: number; sockets: number }[]
  /** Published, with the time in place of AT so that it is a new text each time. */
  line: string
}

const { port, answers, tiers, line } = JSON.parse(process.argv[2]!) as Bare
let opened = 0

const server = Bun.serve({
  port,
  hostname: '127.0.0.1',
  reusePort: true,
  fetch: (request, upgrader) => (upgrader.upgrade(request) ? undefined : new Response(null, { status: 404 })),
  websocket: {
    idleTimeout: 60,
    sendPings: true,
    perMessageDeflate: false,
    open(socket: ServerWebSocket<undefined>) {
      let index = opened++
      const tier = tiers.find(({ sockets }) => (index -= sockets) < 0) ?? tiers.at(-1)
      if (tier) socket.subscribe(tier.name)
    },
    message(socket) {
      for (const answer of answers) socket.send(answer)
    },
  },
})
for (const { name, everyMs } of tiers)
  setInterval(() => server.publish(name, line.replace('AT', new Date().toISOString())), everyMs)
console.log('ready')
