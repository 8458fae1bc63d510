import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { openApiDocument } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import type { FastifyInstance } from 'fastify'
import { VERSION } from '../version.ts'

/**
 * The page loads and calls only its own server, over the scheme it came by: a browser told to upgrade would look for
 * scripts at an `https` that a server in a local network does not have.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const document = openApiDocument(ENDPOINTS, { title: 'Vox', version: VERSION })
const text = JSON.stringify(document)

/** The API reference: `/api/v1/openapi.json` for programs, `/docs` for people. */
export async function mountReference(http: FastifyInstance): Promise<void> {
  http.get('/api/v1/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(text))
  await http.register(swagger, { mode: 'static', specification: { document: document as never } })
  await http.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Vox API' },
    uiConfig: { layout: 'BaseLayout', operationsSorter: 'alpha' },
    staticCSP: PAGE_POLICY,
  })
}
