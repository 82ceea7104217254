// Owns the real worker of a test file: in this process, on the stores of a server.
import { createContext } from '../../worker/context.ts'
import { createLog } from '../../worker/log.ts'
import { startWorker } from '../../worker/worker.ts'
import type { AppHarness } from './app-harness.ts'

/** On the server's PostgreSQL, and the Redis that is named. */
export function startBackOffice(app: AppHarness, redisUrl: string): { stop(): Promise<void> } {
  const config = {
    databaseUrl: app.stores.databaseUrl,
    redisUrl,
    smtpUrl: 'smtp://127.0.0.1:9',
    mailFrom: 'Onsale <tickets@onsale.test>',
    publicUrl: app.url,
    paymentProvider: 'sandbox' as const,
    logLevel: 'error' as const,
  }
  const context = createContext(config as never, createLog('error'))
  const running = startWorker(context)
  return {
    async stop() {
      await running.stop()
      await context.close()
    },
  }
}
