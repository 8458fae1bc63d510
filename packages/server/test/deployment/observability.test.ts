import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parser } from '@prometheus-io/lezer-promql'
import { parse as parseYaml } from 'yaml'
import { forEachEngine, sqlite } from '../support/engines.ts'
import { FORM_TYPE, filePart, formBody } from '../support/forms.ts'
import { GatewayClient } from '../support/gateway-client.ts'
import { deployed } from '../support/proxies.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  datasource?: { type: string; uid: string }
  targets?: { refId: string; expr: string; datasource: { uid: string } }[]
}

interface Variable {
  name: string
  type: string
  definition?: string
}

interface Dashboard {
  title: string
  uid: string
  schemaVersion: number
  panels: Panel[]
  templating: { list: Variable[] }
  annotations: { list: { expr: string }[] }
}

interface Rules {
  groups: { rules: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[] }[]
}

const dashboard = JSON.parse(deployed('grafana-dashboard.json')) as Dashboard
const { groups } = parseYaml(deployed('prometheus-rules.yaml')) as Rules
const rules = groups.flatMap((group) => group.rules)

const page = readFileSync(fileURLToPath(new URL('../../../../docs/observability.md', import.meta.url)), 'utf8')

/** What Prometheus adds to what it scrapes. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['instance', 'job'] }

/** Everything that is asked for, with Grafana's own variables replaced as Grafana does. */
const queries = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...rules.map(({ expr }) => expr),
].map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'))

/** Names of metrics and labels in a PromQL expression. */
function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const names = { metrics: [] as string[], labels: [] as string[] }
  parser.parse(expr).iterate({
    enter: ({ type, name, from, to }) => {
      assert.ok(!type.isError, `not PromQL: ${expr}`)
      if (name === 'Identifier') names.metrics.push(expr.slice(from, to))
      if (name === 'LabelName') names.labels.push(expr.slice(from, to))
    },
  })
  return names
}

/** Names of metrics, and of labels, in the text that Prometheus scrapes. */
function scraped(text: string): { metrics: Set<string>; labels: Set<string> } {
  const metrics = new Set<string>()
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm))
    for (const suffix of type === 'histogram' || type === 'summary' ? ['_bucket', '_sum', '_count'] : [''])
      metrics.add(name + suffix)
  const labels = [...text.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label)
  return { metrics, labels: new Set(labels) }
}

const sample = (text: string, name: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

const metricsOf = async ({ visitor }: TestServer): Promise<string> => (await visitor.raw('GET', '/metrics')).body

describe('the Grafana dashboard', () => {
  it('is one that Grafana imports', () => {
    assert.ok(dashboard.title && dashboard.uid && dashboard.schemaVersion >= 36)
    const ids = dashboard.panels.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    for (const { type, title, targets = [], datasource } of dashboard.panels) {
      assert.ok(['row', 'stat', 'timeseries'].includes(type) && title)
      if (type === 'row') continue
      assert.ok(targets.length > 0, `${title} asks nothing`)
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length)
      for (const source of [datasource, ...targets.map((target) => target.datasource)])
        assert.equal(source?.uid, '$' + '{datasource}', title)
    }
  })

  it('has panels that lie side by side, not on one another', () => {
    const taken = new Set<string>()
    for (const {
      title,
      gridPos: { x, y, w, h },
    } of dashboard.panels) {
      assert.ok(x >= 0 && w > 0 && x + w <= 24, title)
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          assert.ok(!taken.has(`${column} ${line}`), title)
          taken.add(`${column} ${line}`)
        }
    }
  })

  it('lets the reader choose among the servers that are scraped', () => {
    const [source, instance] = dashboard.templating.list
    assert.deepEqual([source?.name, source?.type], ['datasource', 'datasource'])
    assert.equal(instance?.definition, 'label_values(vox_info, instance)')
    for (const { targets = [], title } of dashboard.panels)
      for (const { expr } of targets) {
        const selectors = expr.match(/\w+\{/g) ?? []
        assert.equal(expr.match(/\{instance=~"\$instance"/g)?.length, selectors.length, title)
      }
  })
})

describe('the alerts', () => {
  it('say how urgent they are and what is the matter', () => {
    assert.ok(rules.length >= 5)
    for (const { alert, labels, annotations } of rules) {
      assert.match(labels.severity, /^(page|warning)$/, alert)
      assert.match(annotations.summary, /\{\{ \$labels\.instance \}\}/, alert)
    }
  })
})

describe('the queries of dashboard and alerts', () => {
  let exposed: ReturnType<typeof scraped>

  before(async () => {
    await using server = await startTestServer(sqlite)
    const ada = await server.register('ada')
    // A connection that the server closes, so that there is a sample of that too.
    const client = await GatewayClient.connect(server, ada)
    client.socket.send('identify', {})
    await client.socket.closed
    exposed = scraped(await metricsOf(server))
  })

  it('ask for what a server exposes, by labels that it sets', () => {
    for (const query of queries) {
      const { metrics, labels } = namesIn(query)
      assert.ok(metrics.length > 0, query)
      for (const metric of metrics)
        assert.ok(exposed.metrics.has(metric) || OF_PROMETHEUS.metrics.includes(metric), `${metric} in ${query}`)
      for (const label of labels)
        assert.ok(exposed.labels.has(label) || OF_PROMETHEUS.labels.includes(label), `${label} in ${query}`)
    }
  })

  it('know a wrong name when they see one', () => {
    assert.ok(!exposed.metrics.has('vox_gateway_event_total'))
    assert.throws(() => namesIn('sum(rate(vox_info[5m])'), /not PromQL/)
  })

  it('are about metrics of which the page says what they mean', () => {
    const own = [...exposed.metrics].map((name) => name.replace(/^(vox_http_request_seconds)_.*/, '$1'))
    for (const name of own) if (name.startsWith('vox_')) assert.ok(page.includes(`\`${name}\``), name)
    for (const [, name = ''] of page.matchAll(/`(vox_\w+)`/g)) assert.ok(own.includes(name), name)
  })
})

forEachEngine('the metrics', (engine) => {
  it('count what happens', async () => {
    await using server = await startTestServer(engine)
    const ada = await server.register('ada')
    await ada.post('/feeds', { name: 'general', type: 'text' })
    const before = await metricsOf(server)

    const client = await GatewayClient.connect(server, ada)
    for (const body of ['one', 'two', 'three']) await ada.post('/feeds/1/messages', { body })
    const form = formBody(filePart(Buffer.alloc(5000, 'a')))
    const upload = await ada.raw('POST', '/api/v1/feeds/1/files', form, { 'content-type': FORM_TYPE })
    assert.equal(upload.status, 201)
    const during = await metricsOf(server)
    client.socket.send('identify', {})
    await client.socket.closed
    const after = await metricsOf(server)

    const grown = (name: string) => (sample(during, name) ?? Number.NaN) - (sample(before, name) ?? Number.NaN)
    assert.equal(sample(after, 'vox_database_up'), 1)
    assert.equal(sample(after, 'vox_members'), 1)
    assert.equal(grown('vox_upload_files_total'), 1)
    assert.equal(grown('vox_upload_bytes_total'), 5000)
    assert.ok(grown('vox_database_writes_total') >= 4)
    assert.ok(grown('vox_database_commits_total') >= 1)
    assert.ok(grown('vox_database_write_seconds_total') > 0)
    assert.equal(sample(after, 'vox_database_writes_lost_total'), 0)
    assert.equal(sample(during, 'vox_gateway_live_sessions'), 1)
    assert.equal(grown('vox_gateway_sessions_opened_total'), 1)
    assert.ok(grown('vox_gateway_events_total') >= 3)
    assert.equal(sample(after, 'vox_gateway_live_sessions'), 0)
    assert.equal(sample(after, 'vox_gateway_closes_total{reason="ALREADY_AUTHENTICATED"}'), 1)
    assert.ok((sample(after, 'vox_database_connections') ?? -1) >= (engine.name === 'postgres' ? 1 : 0))
    const sends = 'vox_http_request_seconds_count{method="POST",route="/api/v1/feeds/:feed_id/messages",status="201"}'
    assert.equal(sample(after, sends), 3)
  })
})
