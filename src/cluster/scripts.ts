/**
 * What Redis does for us as one step: nothing else happens in Redis meanwhile. All of these tell time by Redis's own
 * clock, because those of nodes may be apart by any amount, and expect their keys in one hash slot.
 */
import { script } from './redis-connection.ts'

/** The milliseconds of Redis's clock, and how they are written without an exponent. */
const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(ms) return string.format('%.0f', ms) end
`

/**
 * How a lease is stored: the node, its token and until when, apart by blanks. It stays when its time is over, until
 * another node takes it or it is swept: so a node that comes back in time finds it.
 */
const LEASE = `
local function lease(value)
  local node, token, till = string.match(value or '', '^(%S+) (%S+) (%d+)$')
  return node, token, tonumber(till)
end
`

/**
 * When Redis began to remember leases: at the name that no stream has. Until a lease could have run out since, one that is not
 * there may have been lost, and its owner still believe in it.
 */
const BORN = "''"

/** How long what nobody renews is remembered, in milliseconds: for nodes that Redis was away from. */
const SWEEP_MS = 600_000

/**
 * Renews a node's membership, its leases, and its wishes for streams, and tells what there is.
 *
 * KEYS nodes, leases, wishes. ARGV node, what it tells of itself, milliseconds that both are good for, the number of its
 * leases, for each the stream, the token and whether it may be made anew if Redis has lost it; then for each stream that
 * it wants its name and for how many milliseconds.
 *
 * Returns the live nodes with what they tell, the leases that run with their nodes and the milliseconds that are left,
 * the wishes with theirs, and those of its leases that it has lost.
 */
export const BEAT = script(`${TIME}${LEASE}
local nodes, leases, wishes = KEYS[1], KEYS[2], KEYS[3]
local me, about, ttl, held = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('HSET', nodes, me, text(now + ttl) .. ' ' .. about)
redis.call('HSETNX', leases, ${BORN}, text(now))
local lost, at = {}, 5
for _ = 1, held do
  local stream, token, anew = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  local value = redis.call('HGET', leases, stream)
  local node, known = lease(value)
  if (node == me and known == token) or (not value and anew == '1') then
    redis.call('HSET', leases, stream, me .. ' ' .. token .. ' ' .. text(now + ttl))
  else
    lost[#lost + 1] = stream
  end
end
while ARGV[at] do
  local till = now + tonumber(ARGV[at + 1])
  local known = tonumber(redis.call('HGET', wishes, ARGV[at]) or '0')
  if till > known then redis.call('HSET', wishes, ARGV[at], text(till)) end
  at = at + 2
end
local alive, running, wanted = {}, {}, {}
local all = redis.call('HGETALL', nodes)
for i = 1, #all, 2 do
  local till, told = string.match(all[i + 1], '^(%d+) (.*)$')
  if till and tonumber(till) > now then
    alive[#alive + 1] = all[i]
    alive[#alive + 1] = told
  else
    redis.call('HDEL', nodes, all[i])
  end
end
all = redis.call('HGETALL', leases)
for i = 1, #all, 2 do
  local node, _, till = lease(all[i + 1])
  if node and till > now then
    running[#running + 1] = all[i]
    running[#running + 1] = node
    running[#running + 1] = text(till - now)
  elseif all[i] ~= ${BORN} and (not node or till + ${SWEEP_MS} < now) then
    redis.call('HDEL', leases, all[i])
  end
end
all = redis.call('HGETALL', wishes)
for i = 1, #all, 2 do
  local till = tonumber(all[i + 1])
  if till and till > now then
    wanted[#wanted + 1] = all[i]
    wanted[#wanted + 1] = text(till - now)
  else
    redis.call('HDEL', wishes, all[i])
  end
end
return { alive, running, wanted, lost }
`)

/**
 * Takes a stream's lease if nobody holds it.
 *
 * KEYS leases. ARGV stream, node, token, milliseconds, whether also one that has run out may be taken ('1' or '0').
 * Returns '' if it is taken now, else the node that holds it, or held it last; '-' where Redis has not remembered leases for as
 * long as one lasts.
 */
export const CLAIM = script(`${TIME}${LEASE}
local stream, me, token, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local node, _, till = lease(redis.call('HGET', KEYS[1], stream))
if node and node ~= me and (till > now or ARGV[5] ~= '1') then return node end
local born = tonumber(redis.call('HGET', KEYS[1], ${BORN}) or text(now))
if not node and now < born + ttl then return '-' end
redis.call('HSET', KEYS[1], stream, me .. ' ' .. token .. ' ' .. text(now + ttl))
return ''
`)

/**
 * Gives a lease up and tells those who may want it.
 *
 * KEYS leases. ARGV stream, node, token, channel. Returns whether it was held.
 */
export const RELEASE = script(`${LEASE}
local node, token = lease(redis.call('HGET', KEYS[1], ARGV[1]))
if node ~= ARGV[2] or token ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[4], ARGV[1])
return 1
`)

/** Takes a node off the list of those that live, or a stream off that of those that are wanted. KEYS the list. ARGV its name. */
export const STRIKE = script(`return redis.call('HDEL', KEYS[1], ARGV[1])`)

/**
 * Appends a fact to what is known of a stream, if the lease is still the caller's and nothing was appended since. The same fact
 * may be told again, on another way, by who does not know whether it got there.
 *
 * KEYS leases, the stream's hash, its list of facts. ARGV stream, node, token, the fact's number, the fact, whether it is
 * all that is known rather than what has changed ('1' or '0'), milliseconds to keep it, the channel.
 *
 * Returns 'ok'; 'fenced' when another node holds the lease; 'behind' when the one before it is not here: then all that is
 * known is to be told; 'ahead' when Redis knows of more than the caller.
 */
export const APPEND = script(`${LEASE}
local stream, me, token, number, fact, whole, keep, channel = unpack(ARGV)
local node, known = lease(redis.call('HGET', KEYS[1], stream))
if node ~= me or known ~= token then return 'fenced' end
local last, by = unpack(redis.call('HMGET', KEYS[2], 'number', 'by'))
local before, author = tonumber(last or '-1'), me .. ' ' .. token
if before == tonumber(number) and by == author then return 'ok' end
if before >= tonumber(number) then return 'ahead' end
if whole == '1' then
  redis.call('HSET', KEYS[2], 'number', number, 'whole', fact, 'by', author)
  redis.call('DEL', KEYS[3])
else
  if before + 1 ~= tonumber(number) then return 'behind' end
  redis.call('RPUSH', KEYS[3], fact)
  redis.call('HSET', KEYS[2], 'number', number, 'by', author)
  redis.call('PEXPIRE', KEYS[3], keep)
end
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('PUBLISH', channel, number .. ' ' .. whole .. ' ' .. fact)
return 'ok'
`)

/**
 * Tells what else there is to know of a stream, if the lease is the caller's.
 *
 * KEYS leases, the stream's hash. ARGV stream, node, token, what is told, milliseconds to keep it, the channel.
 */
export const TELL = script(`${LEASE}
local stream, me, token, told, keep, channel = unpack(ARGV)
local node, known = lease(redis.call('HGET', KEYS[1], stream))
if node ~= me or known ~= token then return 0 end
redis.call('HSET', KEYS[2], 'status', told)
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('PUBLISH', channel, 'status ' .. told)
return 1
`)

/**
 * Reads all that is known of a stream in one step.
 *
 * KEYS the stream's hash, its list of facts. Returns the number of the last fact, the last whole one, those behind it and the
 * status; nothing when there is none.
 */
export const READ = script(`
local number, whole, status = unpack(redis.call('HMGET', KEYS[1], 'number', 'whole', 'status'))
if not number or not whole then return {} end
return { number, whole, redis.call('LRANGE', KEYS[2], 0, -1), status or '' }
`)

/**
 * Appends lines to a page of a journal, and tells them to those who follow the stream where that is to be.
 *
 * KEYS leases, the numbers of the pages, the page. ARGV stream, node, token, the page's number, milliseconds to keep it,
 * the channel, what is told there or '', the lines. Returns 'ok', or 'fenced' when another node holds the lease.
 */
export const JOURNAL = script(`${LEASE}
local stream, me, token, page, keep, channel, told = unpack(ARGV, 1, 7)
local node, known = lease(redis.call('HGET', KEYS[1], stream))
if node ~= me or known ~= token then return 'fenced' end
for i = 8, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end
redis.call('ZADD', KEYS[2], page, page)
redis.call('PEXPIRE', KEYS[2], keep)
redis.call('PEXPIRE', KEYS[3], keep)
if told ~= '' then redis.call('PUBLISH', channel, told) end
return 'ok'
`)

/** Numbers a journal's pages, in order. KEYS the numbers of the pages. */
export const PAGES = script(`return redis.call('ZRANGE', KEYS[1], 0, -1)`)

/** Reads a page's lines. KEYS the page. */
export const READ_PAGE = script(`return redis.call('LRANGE', KEYS[1], 0, -1)`)

/** Removes the pages before one. KEYS the numbers of the pages. ARGV that number, what the names of pages begin with. */
export const DROP_PAGES = script(`
local before = '(' .. ARGV[1]
for _, page in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before)) do
  redis.call('DEL', ARGV[2] .. page)
end
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', before)
`)
