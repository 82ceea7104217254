// Owns the worker's environment: every variable it reads, checked once at start, all problems named together.
import Type from 'typebox'
import { Value } from 'typebox/value'

const PORT_MAX = 65_535
const DEFAULT_PORT = 3000
const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const Url = (schemes: string) => Type.String({ pattern: `^(${schemes})://\\S+$` })

/** What each variable must be, in the words of the message a wrong one gets; values are never repeated. */
const VARIABLES = {
  DATABASE_URL: [Url('postgres(ql)?'), 'a postgres:// address'],
  REDIS_URL: [
    Url('rediss?|redis\\+(cluster|sentinel)'),
    'a redis://, rediss://, redis+cluster:// or redis+sentinel:// address',
  ],
  SMTP_URL: [Url('smtps?'), 'an smtp:// or smtps:// address'],
  MAIL_FROM: [
    Type.String({ pattern: '^([^<>@\\r\\n]*<[^<>@\\s]+@[^<>@\\s]+>|[^<>@\\s]+@[^<>@\\s]+)$' }),
    'an email address, alone or as Name <address>',
  ],
  PUBLIC_URL: [Url('https?'), 'an http:// or https:// address'],
  PORT: [Type.Integer({ minimum: 1, maximum: PORT_MAX }), `a port from 1 to ${PORT_MAX}`],
  LOG_LEVEL: [Type.Union(LOG_LEVELS.map((level) => Type.Literal(level))), 'debug, info, warn or error'],
  EMBEDDED: [
    Type.String({ pattern: '^(postgres|redis|mail)(,(postgres|redis|mail))*$' }),
    'a comma list of postgres, redis, mail',
  ],
  SANDBOX_WEBHOOK_URL: [Url('https?'), 'an http:// or https:// address'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [Url('https?'), 'the http:// or https:// address of an OTLP collector'],
  PAYMENT_PROVIDER: [Type.Union([Type.Literal('sandbox'), Type.Literal('stripe')]), 'sandbox or stripe'],
} as const satisfies Record<string, [Type.TSchema, string]>
type Variable = keyof typeof VARIABLES
export const WORKER_VARIABLES = Object.keys(VARIABLES) as Variable[]

const REQUIRED: Partial<Record<Variable, string>> = {
  DATABASE_URL: '`up` sets it, or name a PostgreSQL 14 or newer',
  REDIS_URL: '`up` sets it, or name a Redis 6.2 or newer',
  SMTP_URL: '`up` sets it, or name the mail server that mails go out by',
}

export interface Config {
  databaseUrl: string
  redisUrl: string
  smtpUrl: string
  mailFrom: string
  /** What links in mails begin with; no slash at the end. */
  publicUrl: string
  /** Where the sandbox says what became of a charge. */
  sandboxWebhookUrl: string
  logLevel: LogLevel
  /** Where spans go; null = none are made. */
  otlpEndpoint: string | null
}

/** Reads the environment; an empty variable counts as unset. Never throws. */
export function readConfig(
  env: Record<string, string | undefined>,
): { config: Readonly<Config> } | { problems: string[] } {
  const problems: string[] = []
  const read = (name: Variable): string | undefined => {
    const [schema, says] = VARIABLES[name]
    const text = env[name]?.trim()
    if (!text) {
      if (REQUIRED[name]) problems.push(`${name} is missing: ${REQUIRED[name]}`)
      return undefined
    }
    const value = 'type' in schema && schema.type === 'integer' && /^\d+$/.test(text) ? Number(text) : text
    if (Value.Check(schema, value)) return text
    problems.push(`${name} must be ${says}`)
    return undefined
  }

  const given = Object.fromEntries(WORKER_VARIABLES.map((name) => [name, read(name)])) as Partial<
    Record<Variable, string>
  >
  const publicUrl = (given.PUBLIC_URL ?? `http://localhost:${given.PORT ?? DEFAULT_PORT}`).replace(/\/+$/, '')
  if (!URL.canParse(publicUrl)) problems.push(`PUBLIC_URL must be ${VARIABLES.PUBLIC_URL[1]}`)
  if (given.PAYMENT_PROVIDER === 'stripe')
    problems.push('PAYMENT_PROVIDER=stripe is not available in this version; use sandbox')
  if (problems.length > 0) return { problems }
  const config: Config = {
    databaseUrl: given.DATABASE_URL!,
    redisUrl: given.REDIS_URL!,
    smtpUrl: given.SMTP_URL!,
    mailFrom: given.MAIL_FROM ?? `Onsale <no-reply@${new URL(publicUrl).hostname}>`,
    publicUrl,
    sandboxWebhookUrl: given.SANDBOX_WEBHOOK_URL ?? `${publicUrl}/api/v1/payment/webhook/sandbox`,
    logLevel: (given.LOG_LEVEL ?? 'info') as LogLevel,
    otlpEndpoint: given.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
  }
  return { config: Object.freeze(config) }
}
