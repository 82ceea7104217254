/** Owns the Vite server of `dev`: the web client with hot reload, everything else passed to the real server. */
import { join } from 'node:path'
import { createServer } from 'vite'

const server = `http://127.0.0.1:${process.env.SERVER_PORT}`
const proxied = ['/api', '/dev', '/health', '/metrics']

const root = join(import.meta.dir, '../..')

const vite = await createServer({
  root: join(root, 'web'),
  cacheDir: join(root, '.cache/vite'),
  clearScreen: false,
  server: {
    host: '127.0.0.1',
    port: Number(process.env.WINDOW_PORT),
    strictPort: true,
    proxy: {
      // The server compares Origin and Host with PUBLIC_URL: both must arrive as the browser sent them.
      ...Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: false }])),
      '/ws': { target: server, ws: true, changeOrigin: false },
    },
  },
})
await vite.listen()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end())

async function end() {
  await vite.close()
  process.exit(0)
}
