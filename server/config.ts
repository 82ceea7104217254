// Owns the server's environment: every variable it reads, checked once at start, all problems named together.
import Type from 'typebox'
import { Value } from 'typebox/value'

const JWT_SECRET_BYTES_MIN = 32
/** More than a change of the secret, and a change back, need. */
const JWT_SECRETS_ACCEPTED_MAX = 3
const PORT_MAX = 65_535
const SERVERS_MAX = 64

const Port = Type.Integer({ minimum: 1, maximum: PORT_MAX })
const Url = (schemes: string) => Type.String({ pattern: `^(${schemes})://\\S+$` })

/** What each variable must be, in the words of the message a wrong one gets. */
const VARIABLES = {
  PORT: [Port, 'a port from 1 to 65535'],
  PUBLIC_URL: [Url('https?'), 'an http:// or https:// address'],
  SERVERS: [Type.Integer({ minimum: 1, maximum: SERVERS_MAX }), `a whole number from 1 to ${SERVERS_MAX}`],
  SERVER_INDEX: [Type.Integer({ minimum: 0, maximum: SERVERS_MAX }), 'the index of this server process'],
  BIND: [Type.String({ pattern: '^[0-9a-fA-F.:]+$' }), 'an IP address to listen on'],
  DATABASE_URL: [Url('postgres(ql)?'), 'a postgres:// address'],
  DATABASE_REPLICA_URL: [Url('postgres(ql)?'), 'a postgres:// address'],
  REDIS_URL: [
    Url('rediss?|redis\\+(cluster|sentinel)'),
    'a redis://, rediss://, redis+cluster:// or redis+sentinel:// address',
  ],
  JWT_SECRET: [Type.String({ minLength: 1 }), `a secret of at least ${JWT_SECRET_BYTES_MIN} bytes`],
  JWT_SECRETS_ACCEPTED: [
    Type.String({ pattern: '^[^,\\s]+(,[^,\\s]+)*$' }),
    `a comma list of at most ${JWT_SECRETS_ACCEPTED_MAX} secrets without spaces`,
  ],
  EMBEDDED: [
    Type.String({ pattern: '^(|(postgres|redis|mail)(,(postgres|redis|mail))*)$' }),
    'a comma list of postgres, redis, mail',
  ],
  MAILBOX_URL: [Url('http'), 'an http:// address'],
  REHEARSAL_URL: [Url('http'), 'an http:// address'],
  PAYMENT_PROVIDER: [Type.Union([Type.Literal('sandbox'), Type.Literal('stripe')]), 'sandbox or stripe'],
  METRICS_TOKEN: [Type.String({ minLength: 16 }), 'a token of at least 16 characters'],
  DRAW_BEACON_URL: [Url('https?'), 'the http:// or https:// address of one drand chain'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [Url('https?'), 'the http:// or https:// address of an OTLP collector'],
  RATE_LIMIT: [Type.Union([Type.Literal('on'), Type.Literal('off')]), 'on or off'],
  TRUST_PROXY: [Type.Integer({ minimum: 0, maximum: 10 }), 'a whole number of proxies from 0 to 10'],
  LOG_LEVEL: [
    Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')]),
    'debug, info, warn or error',
  ],
} as const satisfies Record<string, [Type.TSchema, string]>
export type Variable = keyof typeof VARIABLES
export const SERVER_VARIABLES = Object.keys(VARIABLES) as Variable[]

const DEFAULTS = {
  PORT: 3000,
  SERVERS: 1,
  SERVER_INDEX: 0,
  BIND: '127.0.0.1',
  EMBEDDED: '',
  PAYMENT_PROVIDER: 'sandbox',
  RATE_LIMIT: 'on',
  TRUST_PROXY: 0,
  LOG_LEVEL: 'info',
} as const

export type EmbeddedStore = 'postgres' | 'redis' | 'mail'
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Config {
  port: number
  bind: string
  publicUrl: string
  servers: number
  serverIndex: number
  databaseUrl: string
  /** A streaming replica for reads that may be old; null = none. */
  databaseReplicaUrl: string | null
  redisUrl: string
  /** What everything is signed with. */
  jwtSecret: string
  /** Whose signatures are believed besides, while the secret is being changed. */
  jwtSecretsAccepted: readonly string[]
  embedded: ReadonlySet<EmbeddedStore>
  mailboxUrl: string | null
  /** Where a made-up crowd is asked for; null where there is none: outside a demo. */
  rehearsalUrl: string | null
  paymentProvider: 'sandbox'
  metricsToken: string | null
  /** One drand chain, asked for the public part of every draw's seed; null = draws are made without. */
  drawBeaconUrl: string | null
  rateLimit: boolean
  /** Hops of X-Forwarded-For to believe. */
  trustProxy: number
  logLevel: LogLevel
  /** Where spans go; null = none are made. */
  otlpEndpoint: string | null
}

/** Reads the environment; an empty variable counts as unset. Never throws. */
export function readConfig(
  env: Record<string, string | undefined>,
): { config: Config } | { problems: string[] } {
  const problems: string[] = []
  const read = <K extends Variable>(name: K): Type.Static<(typeof VARIABLES)[K][0]> | undefined => {
    const [schema, says] = VARIABLES[name]
    const text = env[name]
    if (text === undefined || text === '')
      return (DEFAULTS as Partial<Record<Variable, unknown>>)[name] as never
    const value = 'type' in schema && schema.type === 'integer' && /^-?\d+$/.test(text) ? Number(text) : text
    if (Value.Check(schema, value)) return value as never
    problems.push(`${name} must be ${says}`)
    return undefined
  }

  const port = read('PORT')
  const publicUrl = read('PUBLIC_URL')
  const databaseUrl = read('DATABASE_URL')
  const redisUrl = read('REDIS_URL')
  const jwtSecret = read('JWT_SECRET')
  const accepted = (read('JWT_SECRETS_ACCEPTED') ?? '').split(',').filter(Boolean)
  const embedded = new Set((read('EMBEDDED') ?? '').split(',').filter(Boolean) as EmbeddedStore[])
  const rateLimit = read('RATE_LIMIT') !== 'off'
  const paymentProvider = read('PAYMENT_PROVIDER')
  const given = (name: Variable) => env[name] !== undefined && env[name] !== ''
  if (!given('DATABASE_URL'))
    problems.push('DATABASE_URL is missing: `up` sets it, or name a PostgreSQL 14 or newer')
  if (!given('REDIS_URL')) problems.push('REDIS_URL is missing: `up` sets it, or name a Redis 6.2 or newer')
  if (!given('JWT_SECRET'))
    problems.push(
      `JWT_SECRET is missing: a secret of at least ${JWT_SECRET_BYTES_MIN} bytes, the same for every server`,
    )
  else if (jwtSecret && Buffer.byteLength(jwtSecret) < JWT_SECRET_BYTES_MIN)
    problems.push(`JWT_SECRET must have at least ${JWT_SECRET_BYTES_MIN} bytes`)
  if (accepted.length > JWT_SECRETS_ACCEPTED_MAX)
    problems.push(`JWT_SECRETS_ACCEPTED must be ${VARIABLES.JWT_SECRETS_ACCEPTED[1]}`)
  if (accepted.some((secret) => Buffer.byteLength(secret) < JWT_SECRET_BYTES_MIN))
    problems.push(`JWT_SECRETS_ACCEPTED: each secret must have at least ${JWT_SECRET_BYTES_MIN} bytes`)
  if (paymentProvider === 'stripe')
    problems.push('PAYMENT_PROVIDER=stripe is not available in this version; use sandbox')
  if (!rateLimit && !(embedded.has('postgres') && embedded.has('redis')))
    problems.push('RATE_LIMIT=off is for benchmarks on embedded stores only; a store here is external')

  const config = {
    port,
    bind: read('BIND'),
    publicUrl: (publicUrl ?? `http://localhost:${port}`).replace(/\/+$/, ''),
    servers: read('SERVERS'),
    serverIndex: read('SERVER_INDEX'),
    databaseUrl,
    databaseReplicaUrl: read('DATABASE_REPLICA_URL') ?? null,
    redisUrl,
    jwtSecret,
    jwtSecretsAccepted: accepted,
    embedded,
    mailboxUrl: read('MAILBOX_URL') ?? null,
    rehearsalUrl: read('REHEARSAL_URL') ?? null,
    paymentProvider,
    metricsToken: read('METRICS_TOKEN') ?? null,
    drawBeaconUrl: read('DRAW_BEACON_URL') ?? null,
    rateLimit,
    trustProxy: read('TRUST_PROXY'),
    logLevel: read('LOG_LEVEL'),
    otlpEndpoint: read('OTEL_EXPORTER_OTLP_ENDPOINT') ?? null,
  }
  return problems.length > 0 ? { problems } : { config: Object.freeze(config) as Config }
}
