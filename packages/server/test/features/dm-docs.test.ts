import { describe } from 'node:test'
import { docsPage, testExamples } from '../support/examples.ts'

describe('docs/direct-messages.md', () => {
  testExamples(docsPage('direct-messages.md'))
})
