// Shows that a connection by way of sentinels outlives a change of the master at any moment, and ends when it is closed.
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { Socket, TCPSocketListener } from 'bun'
import Redis from 'ioredis'
import { connectRedis, redisReady } from '../../db/redis.ts'
import { eventually } from '../support/socket-client.ts'
import { freshStores, type FreshStores } from '../support/stores.ts'

const HOST = '127.0.0.1'
const NAME = 'onsale'
const CHANNEL = '+switch-master'
const ANSWER_AFTER_MS = 50

let stores: FreshStores
const open: { stop(): void }[] = []
beforeAll(async () => {
  stores = await freshStores()
})
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})
afterAll(() => stores.close())

interface FakeSentinel {
  port: number
  /** How many hear its announcements. */
  listeners(): number
  /** Says that there is another master. */
  announce(): void
}

/** As version 3 of the protocol has it: `*` begins an answer, `>` what nobody asked for. */
const bulks = (words: string[], kind: '*' | '>' = '*') =>
  `${kind}${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`

/** Names the Redis of the tests as master, a moment after `asked` was called. */
function fakeSentinel(asked: () => void = () => {}): FakeSentinel {
  const master = new URL(stores.redisUrl)
  const listening = new Set<Socket<unknown>>()
  const answer = (socket: Socket<unknown>, words: string[]) => {
    const [command = '', about] = words.map((word) => word.toLowerCase())
    if (command === 'subscribe') {
      listening.add(socket)
      socket.write(`>3\r\n$9\r\nsubscribe\r\n$${CHANNEL.length}\r\n${CHANNEL}\r\n:1\r\n`)
    } else if (command !== 'sentinel') socket.write('+OK\r\n')
    else if (about === 'sentinels') socket.write('*0\r\n')
    else {
      asked()
      setTimeout(() => socket.write(bulks([master.hostname, master.port])), ANSWER_AFTER_MS)
    }
  }
  const server: TCPSocketListener<unknown> = Bun.listen({
    hostname: HOST,
    port: 0,
    socket: {
      data(socket, data) {
        for (const command of data.toString().split(/(?=\*\d+\r\n\$)/))
          answer(
            socket,
            command.split('\r\n').filter((line) => line && !/^[*$]\d+$/.test(line)),
          )
      },
      close: (socket) => void listening.delete(socket),
    },
  })
  open.push({ stop: () => server.stop(true) })
  return {
    port: server.port,
    listeners: () => listening.size,
    announce() {
      for (const socket of listening) socket.write(bulks(['message', CHANNEL, 'another'], '>'))
    },
  }
}

/** Takes every question and answers none. */
function frozenSentinel(): number {
  const server = Bun.listen({ hostname: HOST, port: 0, socket: { data() {} } })
  open.push({ stop: () => server.stop(true) })
  return server.port
}

/** Resolves when a connection listens to it, and knows that it does. */
async function heardBy(sentinel: FakeSentinel): Promise<void> {
  await eventually('it listens', () => sentinel.listeners() === 1)
  await Bun.sleep(ANSWER_AFTER_MS)
}

async function connectBy(...ports: number[]): Promise<Redis> {
  const places = ports.map((port) => `${HOST}:${port}`).join(',')
  const redis = connectRedis(`redis+sentinel://${places}/${NAME}`, {
    role: 'commands',
    name: 'test',
  }) as Redis
  open.push({ stop: () => redis.disconnect() })
  await redisReady(redis)
  return redis
}

/** As when the master dies: nobody of this process closed anything. */
async function cut(redis: Redis): Promise<void> {
  const other = new Redis(stores.redisUrl)
  await other.client('KILL', 'ID', await redis.client('ID'))
  other.disconnect()
}

test('a master that changes while one asks for it is found all the same', async () => {
  let changes = 0
  const sentinel = fakeSentinel(() => {
    if (changes > 0) sentinel.announce()
    changes -= 1
  })
  const redis = await connectBy(sentinel.port)
  await heardBy(sentinel)
  changes = 1
  await cut(redis)
  await eventually('it is told while it asks', () => changes < 1)
  await redisReady(redis)
  expect(await redis.ping()).toBe('PONG')
})

test('one that is told of another master connects anew, once', async () => {
  let questions = 0
  const sentinel = fakeSentinel(() => void (questions += 1))
  const redis = await connectBy(sentinel.port)
  await heardBy(sentinel)
  expect(questions).toBe(1)
  sentinel.announce()
  await eventually('it asks again', () => questions === 2)
  await redisReady(redis)
  expect(await redis.ping()).toBe('PONG')
})

test('one that is closed while it asks stays closed', async () => {
  const sentinel = fakeSentinel()
  const redis = await connectBy(sentinel.port)
  await heardBy(sentinel)
  redis.disconnect(true)
  await eventually('it asks', () => redis.status === 'connecting')
  redis.disconnect()
  await eventually('it has ended', () => redis.status === 'end')
  await Bun.sleep(3 * ANSWER_AFTER_MS)
  expect(redis.status).toBe('end')
})

test('a sentinel that is frozen is passed over', async () => {
  const redis = await connectBy(frozenSentinel(), fakeSentinel().port)
  expect(await redis.ping()).toBe('PONG')
})
