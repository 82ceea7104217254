// Names the whole stack as journeys know it.
export { startWholeStack, type WholeStack } from '../../dev/whole-stack.ts'
