// Holds faults of both stores to what a buyer is told of them: whatever passes by waiting is "away", and nothing else is.
import { expect, test } from 'bun:test'
import { isStoreLost, isStoreUnable } from '../../db/client.ts'
import { toRefusal } from '../../server/errors.ts'
import { refuseLost } from '../../server/room/scripts.ts'

const fault = (code: string) =>
  new Error('Failed query', { cause: Object.assign(new Error('as Postgres says it'), { code }) })

test('a Postgres that is there and cannot work is as good as away, without its connection counting as lost', () => {
  // disk full, out of memory, I/O error, lock timeout, statement timeout, deadlock
  for (const code of ['53100', '53200', '58030', '55P03', '57014', '40P01']) {
    expect({ code, told: toRefusal(fault(code)).code }).toEqual({ code, told: 'store_unavailable' })
    expect({ code, unable: isStoreUnable(fault(code)), lost: isStoreLost(fault(code)) }).toEqual({
      code,
      unable: true,
      lost: false,
    })
  }
  expect(isStoreUnable(fault('ECONNREFUSED'))).toBe(true)
})

test('a statement that was wrong is our own fault', () => {
  for (const code of ['42P01', '23505', '22003']) expect(toRefusal(fault(code)).code).toBe('internal')
})

/** What a buyer is told when Redis answers with these words. */
function toldOf(words: string): string {
  try {
    return refuseLost(Object.assign(new Error(words), { name: 'ReplyError' }))
  } catch (said) {
    return toRefusal(said).code
  }
}

test('a Redis that is there and cannot write is as good as away; a script that was wrong is our own fault', () => {
  // Full memory, a full disk, too few replicas, a replica, coming up.
  for (const word of ['OOM', 'MISCONF', 'NOREPLICAS', 'READONLY', 'LOADING'])
    expect({ word, told: toldOf(`${word} as Redis says it`) }).toEqual({ word, told: 'store_unavailable' })
  expect(toldOf('ERR user_script:1: attempt to index a nil value')).toBe('internal')
  expect(toldOf('WRONGTYPE Operation against a key holding the wrong kind of value')).toBe('internal')
})
