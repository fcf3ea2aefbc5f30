// kafkajs against a broker: a group of two members, its offsets, and transactions with offsets.
// Prints "ok NAME" or "failed NAME: why" for each claim. Argument: the bootstrap address.
'use strict'
const assert = require('node:assert')
const { Kafka, logLevel, CompressionTypes } = require('kafkajs')

const kafka = new Kafka({ clientId: 'claims', brokers: [process.argv[2]], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
const tag = `${process.pid}-${Date.now()}`
const LIMIT_MS = 40000

async function until (condition, what) {
  const deadline = Date.now() + LIMIT_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`no ${what} in time`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

async function claim (name, check) {
  try {
    await check(`js-${name}-${tag}`)
    console.log(`ok ${name}`)
  } catch (error) {
    console.log(`failed ${name}: ${error.stack.replaceAll('\n', ' | ')}`)
  }
}

async function create (topic, numPartitions, records) {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  if (!records) return
  const producer = kafka.producer()
  await producer.connect()
  const messages = [...Array(records).keys()].map(i => ({ value: `${i}`, partition: i % numPartitions }))
  await producer.send({ topic, messages, compression: CompressionTypes.GZIP })
  await producer.disconnect()
}

// A member that keeps what it owns in `owned` and gives each record to `take`.
async function member (groupId, topic, take = () => {}, options = {}) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 300, rebalanceTimeout: 10000, maxWaitTimeInMs: 200, ...options })
  consumer.owned = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    consumer.owned = payload.memberAssignment[topic] || []
    consumer.generation = payload
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommitInterval: 100, eachMessage: async ({ partition, message }) => take(partition, message) })
  return consumer
}

// With `resolveOffsets` this client turns -2 into an offset and commits that, which an empty group allows.
async function committed (groupId, topic, resolveOffsets = false) {
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets })
  return Object.fromEntries(answer.partitions.map(p => [p.partition, Number(p.offset)]))
}

async function twoMembers (name) {
  await create(name, 4)
  const first = await member(name, name)
  await until(() => first.owned.length === 4, 'first share')
  const second = await member(name, name)
  await until(() => first.owned.length === 2 && second.owned.length === 2, 'two shares')
  assert.deepStrictEqual([...first.owned, ...second.owned].sort(), [0, 1, 2, 3])
  const described = (await admin.describeGroups([name])).groups[0]
  assert.deepStrictEqual([described.state, described.protocolType, described.members.length], ['Stable', 'consumer', 2])
  await second.disconnect()
  await until(() => first.owned.length === 4, 'share back')
  await first.disconnect()
}

async function readsOnce (name) {
  await create(name, 3, 300)
  const seen = new Map()
  const take = (_, message) => seen.set(`${message.value}`, (seen.get(`${message.value}`) || 0) + 1)
  const members = [await member(name, name, take)]
  await until(() => seen.size === 300, 'all records')
  assert.ok([...seen.values()].every(times => times === 1))
  await until(async () => Object.values(await committed(name, name)).every(offset => offset === 100), 'commits')
  await members[0].disconnect()
  let more = 0
  const follower = await member(name, name, () => more++)
  await until(() => follower.owned.length === 3, 'share')
  await create(`${name}-more`, 1)
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: name, messages: [{ value: 'new', partition: 1 }] })
  await producer.disconnect()
  await until(() => more === 1, 'new record')
  await follower.disconnect()
}

async function offsetsOfAnEmptyGroup (name) {
  await create(name, 2, 20)
  await admin.setOffsets({ groupId: name, topic: name, partitions: [{ partition: 0, offset: '4' }, { partition: 1, offset: '7' }] })
  assert.deepStrictEqual(await committed(name, name), { 0: 4, 1: 7 })
  const first = {}
  const consumer = await member(name, name, (partition, message) => { first[partition] ??= Number(message.offset) })
  await until(() => Object.keys(first).length === 2, 'records')
  assert.deepStrictEqual(first, { 0: 4, 1: 7 })
  await assert.rejects(admin.deleteGroups([name]), error => error.groups[0].error.type === 'NON_EMPTY_GROUP')
  await consumer.disconnect()
  await admin.resetOffsets({ groupId: name, topic: name, earliest: true })
  assert.deepStrictEqual(await committed(name, name), { 0: -2, 1: -2 })
  assert.deepStrictEqual(await committed(name, name, true), { 0: 0, 1: 0 })
  assert.ok((await admin.listGroups()).groups.some(g => g.groupId === name))
  await admin.deleteGroups([name])
  assert.ok(!(await admin.listGroups()).groups.some(g => g.groupId === name))
}

async function transactionsWithOffsets (name) {
  await create(name, 1)
  const producer = kafka.producer({ transactionalId: name, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const [number, commits] of [true, false, true].entries()) {
    const transaction = await producer.transaction()
    const messages = [0, 1, 2].map(i => ({ value: `${number}-${i}` }))
    await transaction.send({ topic: name, messages })
    await transaction.sendOffsets({ consumerGroupId: name, topics: [{ topic: name, partitions: [{ partition: 0, offset: `${10 * number + 1}` }] }] })
    await (commits ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const values = []
  const reader = await member(`${name}-reader`, name, (_, message) => values.push(`${message.value}`), { readUncommitted: false })
  await until(() => values.length >= 6, 'committed records')
  await reader.disconnect()
  assert.deepStrictEqual(values, ['0-0', '0-1', '0-2', '2-0', '2-1', '2-2'])
  assert.deepStrictEqual(await committed(name, name), { 0: 21 })
}

async function main () {
  await admin.connect()
  await claim('two-members-share-and-give-back', twoMembers)
  await claim('a-group-reads-each-record-once-and-resumes', readsOnce)
  await claim('offsets-of-an-empty-group-are-set-and-reset', offsetsOfAnEmptyGroup)
  await claim('transactions-carry-records-and-offsets', transactionsWithOffsets)
  await admin.disconnect()
}

main().then(() => process.exit(0))
