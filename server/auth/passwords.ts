// Owns how passwords are kept and compared, and how much of the machine that may take.
import { PASSWORD_HASH } from '../../db/accounts.ts'
import { Refusal } from '../errors.ts'

/** Each hash keeps a core and 19 MiB busy for some 30 ms; buyers need the cores too. */
const HASHES_AT_ONCE = 2
/** About a second of waiting; whoever comes then is told to try again. */
const WAITING_MAX = 50

/** Compared against when there is no account, so that the answer takes as long. */
const nobodysHash = Bun.password.hash(crypto.randomUUID(), PASSWORD_HASH)

/** A password in PHC form. Throws `overloaded`. */
export function hashPassword(password: string): Promise<string> {
  return inTurn(() => Bun.password.hash(spelled(password), PASSWORD_HASH))
}

/** False for a null hash, after the same work. Throws `overloaded`. */
export function isPassword(password: string, hash: string | null): Promise<boolean> {
  return inTurn(async () => {
    const matches = await Bun.password.verify(spelled(password), hash ?? (await nobodysHash))
    return matches && hash !== null
  })
}

/** The same characters typed on another keyboard are the same password. */
const spelled = (password: string) => password.normalize('NFKC')

let running = 0
const waiting: (() => void)[] = []

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= HASHES_AT_ONCE) {
    if (waiting.length >= WAITING_MAX) throw new Refusal('overloaded')
    // Whoever finishes hands the turn over, so `running` does not change here.
    await new Promise<void>((turn) => waiting.push(turn))
  } else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}
