import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Logger } from 'pino'
import { createLog, type LogFormat, logFormat, maskUrl, plainText } from '../src/log.ts'

/** What a logger writes. */
function written(format: LogFormat, use: (log: Logger) => void): string {
  const lines: string[] = []
  use(createLog(format, { write: (line) => void lines.push(line) }))
  return lines.join('')
}

const record = (use: (log: Logger) => void) => JSON.parse(written('json', use))

describe('the format of the log', () => {
  it('is JSON unless it is set, and plain text for people at a terminal', () => {
    assert.equal(logFormat({}, false), 'json')
    assert.equal(logFormat({}, true), 'text')
    assert.equal(logFormat({ VOX_LOG_FORMAT: '' }, true), 'text')
  })
  it('is JSON for the word json and plain text for any other', () => {
    assert.equal(logFormat({ vox_log_format: 'JSON' }, true), 'json')
    assert.equal(logFormat({ VOX_LOG_FORMAT: 'text' }, false), 'text')
    assert.equal(logFormat({ VOX_LOG_FORMAT: 'logfmt' }, false), 'text')
  })
})

describe('a JSON record', () => {
  it('is one line with time, level, logger, message and fields', () => {
    const output = written('json', (log) => log.child({ logger: 'http' }).warn({ port: 1 }, 'two\nlines'))
    assert.equal(output.indexOf('\n'), output.length - 1)
    const { timestamp, ...rest } = JSON.parse(output)
    assert.equal(new Date(timestamp).toISOString(), timestamp)
    assert.deepEqual(rest, { level: 'warn', logger: 'http', message: 'two\nlines', port: 1 })
  })
  it('comes from vox unless a child gave another name', () => {
    assert.equal(record((log) => log.info('x')).logger, 'vox')
    assert.equal(record((log) => log.child({ id: 1 }).info('x')).logger, 'vox')
  })
  it('names its logger once, however deep the child', () => {
    const output = written('json', (log) => log.child({ logger: 'http' }).child({ id: 1 }).info('x'))
    assert.equal(output.split('"logger"').length, 2)
  })
  it('holds the stack of an exception and of its causes', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    for (const { exception, err } of [
      record((log) => log.error(error)),
      record((log) => log.error({ err: error }, 'failed')),
    ]) {
      assert.match(exception, /^Error: outer\n {4}at .*\nCaused by: Error: inner\n {4}at /s)
      assert.equal(err, undefined)
    }
  })
  it('holds nothing of an exception but its stack', () => {
    const error = Object.assign(new Error('outer'), { token: 'hunter2' })
    assert.ok(!written('json', (log) => log.error({ err: error }, 'failed')).includes('hunter2'))
  })
  it('shows what was thrown without being an error', () => {
    assert.equal(record((log) => log.error({ err: 'odd' }, 'failed')).exception, 'odd')
  })
  it('is left out below the level info', () => {
    assert.equal(
      written('json', (log) => log.debug('x')),
      '',
    )
  })
})

describe('a plain record', () => {
  const line = (use: (log: Logger) => void) => written('text', use).replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, '')

  it('begins with the local time', () => {
    const at = new Date(2026, 10, 23, 8, 0, 0).toISOString()
    const json = JSON.stringify({ timestamp: at, level: 'info', logger: 'http', message: 'm' })
    assert.equal(plainText(json), '2026-11-23 08:00:00 INFO  http  m\n')
  })
  it('shows level, logger, message and fields', () => {
    const use = (log: Logger) => log.child({ logger: 'http' }).warn({ port: 1, path: '/a', q: 'x y', none: null }, 'hi')
    assert.equal(line(use), 'WARN  http  hi port=1 path=/a q="x y" none=null\n')
  })
  it('keeps all digits of an id', () => {
    assert.equal(
      line((log) => log.info({ id: 9223372036854775807n }, 'x')),
      'INFO  vox  x id=9223372036854775807\n',
    )
  })
  it('has the stack of an exception below it', () => {
    assert.match(
      line((log) => log.error({ err: new Error('boom') }, 'failed')),
      /^ERROR vox {2}failed\n {4}Error: boom\n {8}at /,
    )
  })
  it('never begins a second line and never steers the terminal, whatever is logged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
        const output = written('text', (log) => log.info({ value }, message))
        assert.match(output, /^\P{Cc}*\n$/u)
      }),
    )
    assert.ok(!written('text', (log) => log.error({ err: new Error('\u001b[2J') }, 'x')).includes('\u001b'))
  })
})

describe('a URL in the log', () => {
  for (const [url, masked] of [
    ['/api/v1/webhooks/12/s3cr3t', '/api/v1/webhooks/12/***'],
    ['/api/v1/webhooks/12/s3cr3t/execute', '/api/v1/webhooks/12/***/execute'],
    ['/api/v1/webhooks/12/s3cr3t?wait=true', '/api/v1/webhooks/12/***'],
    ['/api/v1/%77ebhook%73/12/s3cr3t', '/api/v1/webhooks/12/***'],
    ['/webhook/12/whk_s3-cr_3t', '/webhook/12/whk_***'],
    ['/api/v1/webhooks//12/whk_s3%2Dcr3t/x', '/api/v1/webhooks//12/whk_***/x'],
    ['/api/v1/webhooks/12', '/api/v1/webhooks/12'],
    ['/api/v1/feeds/1/webhooks', '/api/v1/feeds/1/webhooks'],
    ['/api/v1/messages/search?query=private', '/api/v1/messages/search'],
    ['/', '/'],
  ] as const)
    it(`${url} becomes ${masked}`, () => assert.equal(maskUrl(url), masked))
})
