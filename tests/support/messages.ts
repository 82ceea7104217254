// Compiles the window's messages before the first test, when one of them has changed.
import { compileMessages } from '../../web/build/messages.ts'

await compileMessages()
