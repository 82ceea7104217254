/** Decides whether stores of somebody else's can be used, before anything of ours is started. */
import { checkLedger, checkLine } from '../../db/store-checks.ts'
import type { StoreCheck } from '../../db/store-checks.ts'

/** Everything that is wrong with them; none when they can be used. */
export async function checkExternals({
  databaseUrl,
  redisUrl,
}: {
  databaseUrl: string | undefined
  redisUrl: string | undefined
}): Promise<string[]> {
  const checks = await Promise.all([
    databaseUrl === undefined ? undefined : checkLedger(databaseUrl),
    redisUrl === undefined ? undefined : checkLine(redisUrl),
  ])
  return checks.filter((check) => check !== undefined).flatMap(sentencesOf)
}

/** Whoever cannot be reached now will not be reached by the servers either. */
const sentencesOf = ({ problems, unreachable }: StoreCheck): string[] =>
  unreachable === null ? problems : [unreachable]
