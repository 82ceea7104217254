// Decides what happens to a question Redis cannot answer: it is unknown, at once, and somebody else is asked.
//
// Whether Redis is asked is one decision for all that a process asks (db/redis-breaker.ts): who finds it silent says so for
// the session, the line, the gate and the key of everybody.
export { askRedis as tryRedis } from '../db/redis-breaker.ts'
