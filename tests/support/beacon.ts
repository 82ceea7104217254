// Owns a public beacon of a test: one drand chain over HTTP with a round each half second, which can be made silent.
const PERIOD_SECONDS = 0.5

export function startBeacon() {
  const genesis = Math.floor(Date.now() / 1_000) - 1_000
  const beacon = {
    url: '',
    silent: false,
    /** Rounds that were answered. */
    asked: [] as number[],
    stop: () => server.stop(true),
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/chain/info') return Response.json({ period: PERIOD_SECONDS, genesis_time: genesis })
      const round = Number(/^\/chain\/public\/(\d+)$/.exec(pathname)?.[1] ?? 0)
      const due = genesis + (round - 1) * PERIOD_SECONDS
      if (beacon.silent || round === 0 || due * 1_000 > Date.now())
        return new Response('too early', { status: 425 })
      beacon.asked.push(round)
      const signature = new Bun.CryptoHasher('sha384').update(`round ${round}`).digest('hex')
      const randomness = new Bun.CryptoHasher('sha256').update(Buffer.from(signature, 'hex')).digest('hex')
      return Response.json({ round, randomness, signature })
    },
  })
  beacon.url = `http://127.0.0.1:${server.port}/chain`
  return beacon
}
