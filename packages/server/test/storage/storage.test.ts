import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { LocalStorage } from '../../src/storage/local.ts'
import { Spool } from '../../src/storage/spool.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { freshPath } from '../support/folder.ts'
import { startS3 } from '../support/s3.ts'

interface Backend {
  name: string
  open(): Promise<{ storage: Storage; spool: Spool } & AsyncDisposable>
}

const local: Backend = {
  name: 'in a folder',
  async open() {
    const folder = freshPath()
    const spool = await Spool.open(join(folder, 'incoming'))
    return { storage: await LocalStorage.open(folder), spool, async [Symbol.asyncDispose]() {} }
  },
}

const s3: Backend = {
  name: 'in a bucket',
  async open() {
    const service = await startS3()
    return {
      storage: service.storage(),
      spool: await Spool.open(freshPath()),
      [Symbol.asyncDispose]: () => service.close(),
    }
  },
}

const KEY = 'abcdefghijklmnopqrstu0'
const OTHER = 'ABCDEFGHIJKLMNOPQRS_-9'

async function put({ storage, spool }: { storage: Storage; spool: Spool }, key: string, content: string) {
  await using file = await spool.receive(Readable.from([Buffer.from(content)]))
  await storage.put(key, file, 'text/plain')
}

async function read(storage: Storage, key: string, range?: { start: number; end: number }) {
  const content = await storage.get(key, range)
  return content && (await buffer(content)).toString('latin1')
}

for (const { name, open } of [local, s3])
  describe(`objects ${name}`, () => {
    it('come back as they were put, whole or in part', async () => {
      await using opened = await open()
      await put(opened, KEY, 'hello world')
      assert.equal(await read(opened.storage, KEY), 'hello world')
      assert.equal(await read(opened.storage, KEY, { start: 4, end: 4 }), 'o')
      assert.equal(await read(opened.storage, KEY, { start: 6, end: 10 }), 'world')
    })

    it('may be empty, and large', async () => {
      await using opened = await open()
      await put(opened, KEY, '')
      assert.equal(await read(opened.storage, KEY), '')
      const large = 'x'.repeat(6_000_000)
      await put(opened, OTHER, large)
      assert.equal((await read(opened.storage, OTHER))?.length, large.length)
    })

    it('are missing without an error', async () => {
      await using opened = await open()
      assert.equal(await read(opened.storage, KEY), undefined)
      assert.equal(await opened.storage.facts(KEY), undefined)
      await opened.storage.delete(KEY)
    })

    it('are gone once deleted', async () => {
      await using opened = await open()
      await put(opened, KEY, 'hello')
      await opened.storage.delete(KEY)
      assert.equal(await opened.storage.facts(KEY), undefined)
      assert.equal(await read(opened.storage, KEY), undefined)
      assert.deepEqual(await Array.fromAsync(opened.storage.keys()), [])
    })

    it('are listed, with the time since when they are there', async () => {
      await using opened = await open()
      await put(opened, KEY, 'a')
      await put(opened, OTHER, 'b')
      assert.deepEqual((await Array.fromAsync(opened.storage.keys())).sort(), [OTHER, KEY])
      const { storedAt = 0 } = (await opened.storage.facts(KEY)) ?? {}
      assert.ok(Math.abs(Date.now() - storedAt) < 10_000)
    })

    it('have ids for keys, so none leads out of the storage', async () => {
      await using opened = await open()
      for (const key of [
        '',
        '.',
        '..',
        '../abcdefghijklmnopqrst',
        'incoming',
        `${KEY}/`,
        `${KEY}x`,
        'abcdefghijk\0lmnopqrstu',
      ]) {
        await assert.rejects(async () => opened.storage.get(key), TypeError)
        await assert.rejects(async () => opened.storage.facts(key), TypeError)
        await assert.rejects(async () => opened.storage.delete(key), TypeError)
        await assert.rejects(put(opened, key, 'x'), TypeError)
      }
    })
  })

describe('a folder', () => {
  it('lists nothing that is no object', async () => {
    const folder = freshPath()
    const storage = await LocalStorage.open(folder)
    writeFileSync(join(folder, 'README'), '')
    mkdirSync(join(folder, KEY))
    assert.deepEqual(await Array.fromAsync(storage.keys()), [])
  })

  it('that cannot be used says where to look', async () => {
    const file = freshPath()
    writeFileSync(file, '')
    await assert.rejects(LocalStorage.open(join(file, 'folder')), /cannot be kept in .*; check VOX_STORAGE_PATH/)
  })
})

describe('a bucket', () => {
  it('is told type and disposition, so that it renders nothing', async () => {
    await using service = await startS3()
    await put({ storage: service.storage(), spool: await Spool.open(freshPath()) }, KEY, '<script>')
    const { ContentType, ContentDisposition } = await service.head(KEY)
    assert.deepEqual([ContentType, ContentDisposition], ['text/plain', 'attachment'])
  })

  it('lists more than a page, and nothing that is no object', async () => {
    await using service = await startS3()
    const storage = service.storage()
    const spool = await Spool.open(freshPath())
    await service.write('README', 'not ours')
    const keys = Array.from({ length: 5 }, (_, at) => `${KEY.slice(1)}${at}`)
    for (const key of keys) await put({ storage, spool }, key, 'x')
    assert.deepEqual(await Array.fromAsync(storage.keys()), keys)
  })

  it('that cannot be reached or used fails instead of missing objects', async () => {
    const service = await startS3()
    await assert.rejects(service.storage('elsewhere').get(KEY), { name: 'NoSuchBucket' })
    const storage = service.storage()
    await service.close()
    await assert.rejects(storage.facts(KEY))
  })
})

describe('the spool', () => {
  it('keeps a file until it is disposed of', async () => {
    const folder = freshPath()
    const spool = await Spool.open(folder)
    {
      await using file = await spool.receive(Readable.from([Buffer.from('hello '), Buffer.from('world')]))
      assert.equal(file.size, 11)
      assert.equal((await file.read(4, 4)).toString(), 'o wo')
      assert.equal((await file.read(9, 100)).toString(), 'ld')
      assert.equal((await file.read(100, 1)).length, 0)
      assert.equal(readdirSync(folder).length, 1)
    }
    assert.equal(readdirSync(folder).length, 0)
  })

  it('keeps nothing of what breaks off', async () => {
    const folder = freshPath()
    const spool = await Spool.open(folder)
    const broken = async function* (chunks: number) {
      for (let sent = 0; sent < chunks; sent++) yield Buffer.alloc(100_000)
      throw new Error('gone')
    }
    for (const chunks of [0, 1, 10]) await assert.rejects(spool.receive(broken(chunks)), /gone/)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('removes what a crash left, and nothing that is in use', async () => {
    const folder = freshPath()
    const spool = await Spool.open(folder)
    for (const name of ['old', 'new']) writeFileSync(join(folder, name), '')
    utimesSync(join(folder, 'old'), new Date(0), new Date(0))
    await spool.removeAbandoned(Date.now())
    assert.deepEqual(readdirSync(folder), ['new'])
  })
})
