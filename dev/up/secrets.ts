/** Owns the secrets a single machine makes for itself at its first start, in DATA_DIR/secrets.json. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { randomBytes, randomInt } from 'node:crypto'
import { join } from 'node:path'

const NAME = 'secrets.json'
const JWT_SECRET_BYTES = 48
/** No letter that looks like another, since a person may type it; four groups of four are 78 bits. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP_LETTERS = 4

const DEMO_NAMES = ['admin', 'organizer', 'buyer'] as const
export type DemoPasswords = Record<(typeof DEMO_NAMES)[number], string>

interface Secrets {
  jwtSecret: string
  demoPasswords: DemoPasswords
}

/** The same at every start; made and kept, readable by the owner alone, at the first. */
export function keepSecrets(dataDir: string): Secrets {
  const path = join(dataDir, NAME)
  const known = readSecrets(path)
  const passwords = DEMO_NAMES.map((name) => [name, known.demoPasswords?.[name] ?? makePassword()])
  const secrets: Secrets = {
    jwtSecret: known.jwtSecret ?? randomBytes(JWT_SECRET_BYTES).toString('base64url'),
    demoPasswords: Object.fromEntries(passwords) as DemoPasswords,
  }
  writeFileSync(`${path}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return secrets
}

function readSecrets(path: string): Partial<Secrets> {
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Partial<Secrets>
  } catch {
    throw new Error(`${path} is damaged: repair it, or delete it (everyone is then signed out)`)
  }
}

function makePassword(): string {
  return Array.from({ length: GROUPS }, makeGroup).join('-')
}

function makeGroup(): string {
  return Array.from({ length: GROUP_LETTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
