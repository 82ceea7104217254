// Owns what TypeScript knows of `import script from './x.lua' with { type: 'text' }`: it is text.
declare module '*.lua' {
  const text: string
  export default text
}
