/** Owns the reference of answers from memory: the least Bun.serve that sends a body of a given size. */
const [port, bytes] = process.argv.slice(2).map(Number) as [number, number]
const body = new Uint8Array(bytes).fill(' '.charCodeAt(0))
const headers = { 'content-type': 'application/json; charset=utf-8' }

Bun.serve({ port, hostname: '127.0.0.1', reusePort: true, fetch: () => new Response(body, { headers }) })
console.log('ready')
