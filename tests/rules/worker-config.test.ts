// Shows what the worker takes from its environment, and that a wrong one is named whole.
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { readConfig } from '../../worker/config.ts'

const given = {
  DATABASE_URL: 'postgres://onsale:hunter2@127.0.0.1:5432/onsale',
  REDIS_URL: 'redis://127.0.0.1:6379',
  SMTP_URL: 'smtp://127.0.0.1:1025',
}

function publicUrl(env: Record<string, string>) {
  const read = readConfig({ ...given, ...env })
  return 'config' in read ? read.config.publicUrl : read.problems
}

test('the three addresses are enough, and the rest has defaults', () => {
  expect(readConfig(given)).toEqual({
    config: {
      databaseUrl: given.DATABASE_URL,
      redisUrl: given.REDIS_URL,
      smtpUrl: given.SMTP_URL,
      mailFrom: 'Onsale <no-reply@localhost>',
      publicUrl: 'http://localhost:3000',
      sandboxWebhookUrl: 'http://localhost:3000/api/v1/payment/webhook/sandbox',
      logLevel: 'info',
      otlpEndpoint: null,
    },
  })
})

test('links follow PUBLIC_URL, or else the port', () => {
  expect(publicUrl({ PORT: '4100' })).toBe('http://localhost:4100')
  expect(publicUrl({ PUBLIC_URL: 'https://tickets.example/', PORT: '4100' })).toBe('https://tickets.example')
})

test('the config cannot be changed', () => {
  const read = readConfig(given)
  expect('config' in read && Object.isFrozen(read.config)).toBe(true)
})

test('every problem is named at once', () => {
  const read = readConfig({
    DATABASE_URL: 'mysql://onsale:hunter2@db/onsale',
    SMTP_URL: ' ',
    MAIL_FROM: 'Onsale <a@b.test>\r\nBcc: everybody@b.test',
    PUBLIC_URL: 'localhost:3000',
    PORT: '65536',
    LOG_LEVEL: 'loud',
    EMBEDDED: 'postgres,mongo',
    PAYMENT_PROVIDER: 'barter',
  })
  expect(read).toEqual({
    problems: [
      'DATABASE_URL must be a postgres:// address',
      'REDIS_URL is missing: `up` sets it, or name a Redis 6.2 or newer',
      'SMTP_URL is missing: `up` sets it, or name the mail server that mails go out by',
      'MAIL_FROM must be an email address, alone or as Name <address>',
      'PUBLIC_URL must be an http:// or https:// address',
      'PORT must be a port from 1 to 65535',
      'LOG_LEVEL must be debug, info, warn or error',
      'EMBEDDED must be a comma list of postgres, redis, mail',
      'PAYMENT_PROVIDER must be sandbox or stripe',
    ],
  })
})

test('stripe is refused in words', () => {
  expect(readConfig({ ...given, PAYMENT_PROVIDER: 'stripe' })).toEqual({
    problems: ['PAYMENT_PROVIDER=stripe is not available in this version; use sandbox'],
  })
})

test('a worker that is told nonsense ends with 1, says all of it and shows no stack', async () => {
  const main = join(import.meta.dir, '../../worker/main.ts')
  const worker = Bun.spawn([process.execPath, main], {
    env: { DATABASE_URL: 'postgres://u:hunter2@h /x', LOG_LEVEL: 'loud' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, said] = await Promise.all([worker.exited, new Response(worker.stderr).text()])
  expect(code).toBe(1)
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'LOG_LEVEL']) expect(said).toContain(name)
  expect(said).not.toContain('hunter2')
  expect(said).not.toMatch(/^\s+at /m)
})
