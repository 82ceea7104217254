/** Decides what `up` is asked to do: reads the whole environment once and names every wrong value together. */
import { readConfig as readServerConfig } from '../../server/config.ts'
import { readConfig as readWorkerConfig } from '../../worker/config.ts'
import { dataDirOf } from '../live-stores.ts'

/** Stand for what `up` will make itself, while the rest of the environment is checked. */
const TO_BE_MADE = {
  DATABASE_URL: 'postgres://embedded',
  REDIS_URL: 'redis://embedded',
  JWT_SECRET: 'generated at the first start, into DATA_DIR',
  SMTP_URL: 'smtp://embedded',
}

export interface UpSettings {
  port: number
  /** The address the servers listen on. */
  bind: string
  /** What people open, without a slash at the end. */
  publicUrl: string
  servers: number
  dataDir: string
  /** Set when the store is not ours to start. */
  databaseUrl: string | undefined
  redisUrl: string | undefined
  smtpUrl: string | undefined
  jwtSecret: string | undefined
  demo: boolean
}

export type Environment = Record<string, string | undefined>

/** Refuses with a sentence for each wrong variable. */
export function readUpSettings(
  env: Environment,
): { ok: true; settings: UpSettings } | { ok: false; problems: string[] } {
  const given = (name: string) => env[name]?.trim() || undefined
  const [databaseUrl, redisUrl, smtpUrl] = [given('DATABASE_URL'), given('REDIS_URL'), given('SMTP_URL')]
  const embedded = databaseUrl === undefined && redisUrl === undefined
  const whole = {
    ...env,
    DATABASE_URL: databaseUrl ?? TO_BE_MADE.DATABASE_URL,
    REDIS_URL: redisUrl ?? TO_BE_MADE.REDIS_URL,
    SMTP_URL: smtpUrl ?? TO_BE_MADE.SMTP_URL,
    JWT_SECRET: given('JWT_SECRET') ?? (embedded ? TO_BE_MADE.JWT_SECRET : undefined),
    EMBEDDED: embeddedParts({ databaseUrl, redisUrl, smtpUrl }).join(','),
    SERVER_INDEX: undefined,
    MAILBOX_URL: undefined,
    REHEARSAL_URL: undefined,
  }
  const read = readServerConfig(whole)
  const worker = readWorkerConfig(whole)
  const problems = [...problemsOf(read), ...problemsOf(worker)]
  const demo = given('DEMO')
  if (demo !== undefined && demo !== '0' && demo !== '1') problems.push('DEMO must be 0 or 1')
  if ('problems' in read || problems.length > 0) return { ok: false, problems: [...new Set(problems)] }
  const { port, bind, publicUrl, servers } = read.config
  return {
    ok: true,
    settings: {
      port,
      bind,
      publicUrl,
      servers,
      dataDir: dataDirOf(env),
      databaseUrl,
      redisUrl,
      smtpUrl,
      jwtSecret: given('JWT_SECRET'),
      demo: demo === undefined ? embedded : demo === '1',
    },
  }
}

/** Both processes read some variables; whoever calls says each problem once. */
function problemsOf(read: { problems: string[] } | { config: object }): string[] {
  return 'problems' in read ? read.problems : []
}

/** What `up` brings itself, in the words of EMBEDDED. */
export function embeddedParts(
  given: Pick<UpSettings, 'databaseUrl' | 'redisUrl' | 'smtpUrl'>,
): ('postgres' | 'redis' | 'mail')[] {
  const parts = [
    ['postgres', given.databaseUrl],
    ['redis', given.redisUrl],
    ['mail', given.smtpUrl],
  ] as const
  return parts.flatMap(([part, address]) => (address === undefined ? [part] : []))
}
