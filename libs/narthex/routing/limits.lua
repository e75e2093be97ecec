-- What limits allow, decided in one place for all workers of all routers.
--
-- KEYS: nx:limit:clock, then the key of each limit that is asked about.
-- ARGV[1]: JSON {who, at, asks}; see limits.py for the fields of an ask.
-- Returns the time, then an answer for each ask. Times are integers in microseconds.
--
-- Rates. A limit's hash counts requests in buckets of WIDTH by time. A slice that is granted is counted in the
-- bucket in which it ends; when its worker says when it used how many of them, they move to the earlier buckets of
-- their use, and the rest is free again. So at every moment each request that may have passed is counted in a bucket
-- that is not earlier than it, and a worker that dies leaves its slice counted: nothing has to notice its death.
-- A slice is granted only if all buckets that are not older than WINDOW, with it, stay within the limit.
--
--   Why no window of 60 s has more than the limit: take any window [x, x + 60 s) and the last grant g, in the order
--   of this script's runs, that one of its requests passed by. g < x + 60 s, so each request of the window, at u,
--   is later than g - 60 s, and its bucket was not dropped at g. All of them are counted at g, or are part of g's
--   own slice. What g left within the limit includes them all.
--
-- WINDOW is longer than 60 s by the time in which an admitted request surely reaches its instance.
--
-- Concurrency. A limit's hash has a lease for each worker: how many requests it may have in flight, until when.
-- The sum of all leases stays within the limit. Leases end only by time in which others were served: after a
-- silence (this server was away) everyone gets as long as a lease to come back.

local WIDTH, WINDOW = 50000, 60150000
local SLICE_MOST, SLICE_LEAST = 4000000, 500000  -- how long a slice is good: shorter, the less is left
local SHARE = 4  -- of what is left, one grant takes at most a fourth for requests that have not come yet
local SCARCE = 0.2  -- where little is left, slices are so much smaller: nobody sits on what others could use
local SMALL = 60  -- limits up to this are granted request by request: that is a question a second, and the last one counts
local STEP, ANSWER = 250000, 1250000
local LEASE, SILENCE, CONTENDED = 5000000, 2500000, 2000000
local KEEP_RATE, KEEP_LEASES = 120000, 600000  -- milliseconds that a hash outlives its last use

local call, floor, max, min = redis.call, math.floor, math.max, math.min
local order = cjson.decode(ARGV[1])

local function whole(number) return string.format('%.0f', number) end

-- The time: it never goes back, and it keeps to the workers' own clocks where the server's is set to another time. A
-- worker's is too late by no more than an answer takes, and too early if the order waited for a server that stood still.
local read = call('TIME')
local real = tonumber(read[1]) * 1000000 + tonumber(read[2])
local now, back = real, 0
local clock = call('GET', KEYS[1])
if clock then
  local shift, last, returned = string.match(clock, '^(%S+) (%S+) (%S+)$')
  now, last, back = real + tonumber(shift), tonumber(last), tonumber(returned)
  if order.at > 0 then
    if now > order.at + STEP then now = order.at end
    now = max(now, order.at - ANSWER)
  end
  now = max(now, last)
  if now - last > SILENCE then back = now end
end
call('SET', KEYS[1], whole(now - real) .. ' ' .. whole(now) .. ' ' .. whole(back))

-- Drops the buckets that no longer count. Returns the first that does, what all of them hold, and one before which
-- they are known to hold nothing.
local function forget(key, gone)
  local first = floor((now - WINDOW) / WIDTH)
  local state = call('HMGET', key, 'head', 'total', 'hint')
  local head, total, hint = tonumber(state[1] or first), tonumber(state[2] or 0), tonumber(state[3] or 0)
  if first - head > 4000 then
    call('DEL', key)
    return first, 0, first
  end
  if head < first then
    local names = {}
    for bucket = head, first - 1 do names[#names + 1] = whole(bucket) end
    for i, count in ipairs(call('HMGET', key, unpack(names))) do
      if count then
        total = total - tonumber(count)
        gone[#gone + 1] = names[i]
      end
    end
    head = first
  end
  return head, total, max(head, hint)
end

-- The first bucket from `head` on that counts anything.
local function oldest(key, head)
  local last = floor((now + SLICE_MOST) / WIDTH) + 1
  while head <= last do
    local names = {}
    for bucket = head, min(head + 199, last) do names[#names + 1] = whole(bucket) end
    for i, count in ipairs(call('HMGET', key, unpack(names))) do
      if count then return head + i - 1 end
    end
    head = head + #names
  end
  return head
end

-- Writes the buckets that change.
local function write(key, change, gone, head, total, hint)
  local names, fields = {}, {'head', whole(head), 'total', whole(total), 'hint', whole(hint)}
  for bucket in pairs(change) do names[#names + 1] = bucket end
  if #names > 0 then
    local held = call('HMGET', key, unpack(names))
    for i, name in ipairs(names) do
      local count = tonumber(held[i] or 0) + change[name]
      if count > 0 then
        fields[#fields + 1], fields[#fields + 2] = name, whole(count)
      elseif held[i] then
        gone[#gone + 1] = name
      end
    end
  end
  if #gone > 0 then call('HDEL', key, unpack(gone)) end
  call('HSET', key, unpack(fields))
  call('PEXPIRE', key, KEEP_RATE)
end

-- Returns granted, how long it is good, how long until more is free, what is left.
local function rate(key, ask)
  local change, gone = {}, {}
  local head, total, hint = forget(key, gone)
  local function count(bucket, number)
    if bucket >= head then
      local name = whole(bucket)
      change[name] = (change[name] or 0) + number
      total = total + number
      hint = min(hint, bucket)
    end
  end
  for _, slice in ipairs(ask.settled) do
    if slice.bucket >= head then
      count(slice.bucket, -slice.size)
      for i = 1, #slice.used, 2 do count(slice.used[i], slice.used[i + 1]) end
    end
  end
  for i = 1, #ask.late, 2 do count(ask.late[i], ask.late[i + 1]) end
  local free = ask.limit - total
  local granted = max(0, min(ask.waiting, free))
  if ask.limit > SMALL then
    local plenty = max(SCARCE, min(1, SHARE * free / ask.limit))
    granted = granted + max(0, min(floor((ask.want - granted) * plenty), floor((free - granted) / SHARE)))
  end
  local good = 0
  if granted > 0 then
    local span = max(SLICE_LEAST, min(SLICE_MOST, SLICE_MOST * (free - granted) / ask.limit))
    local bucket = floor((now + span) / WIDTH)
    good = (bucket + 1) * WIDTH - now
    count(bucket, granted)
  end
  write(key, change, gone, head, total, hint)
  local wait = 0
  if granted < ask.waiting or (ask.want > 0 and granted == 0) then
    -- Where the search ended is kept as a hint, not as the head: a slice may yet be settled in buckets before it.
    hint = oldest(key, max(head, hint))
    call('HSET', key, 'hint', whole(hint))
    wait = (hint + 1) * WIDTH + WINDOW - now
  end
  return {granted, good, wait, max(0, ask.limit - total)}
end

-- Returns permits, how many may be kept idle, how long they are good, what is left.
local function flight(key, ask)
  local others, holders, contended, gone = 0, 1, 0, {}
  local all = call('HGETALL', key)
  for i = 1, #all, 2 do
    local name, value = all[i], all[i + 1]
    if name == 'contended' then
      contended = tonumber(value)
    else
      local permits, _, ends, turn = string.match(value, '^(%S+) (%S+) (%S+) (%S+)$')
      if name == order.who then
        -- An order that was under way while this server stood still must not undo a later one.
        if tonumber(turn) > ask.turn then return {0, 0, 0, 0} end
      elseif now >= tonumber(ends) and now >= back + LEASE then
        gone[#gone + 1] = name
      else
        others, holders = others + tonumber(permits), holders + 1
      end
    end
  end
  local free = ask.limit - others
  local permits = ask.held + max(0, min(ask.waiting, free - ask.held))
  if permits < ask.held + ask.waiting then contended = now end
  local keep = 0
  if now - contended >= CONTENDED then
    keep = floor(ask.limit / (SHARE * holders))
    -- Half of what may be kept, so that not every request that ends makes one too many.
    permits = permits + max(0, min(ask.spare, floor(keep / 2) - (ask.held - ask.busy), floor((free - permits) / SHARE)))
  end
  if permits > 0 then
    local lease = table.concat({whole(permits), whole(ask.busy), whole(now + LEASE), whole(ask.turn)}, ' ')
    call('HSET', key, order.who, lease, 'contended', whole(contended))
    call('PEXPIRE', key, KEEP_LEASES)
  elseif #all > 0 then
    call('HSET', key, 'contended', whole(contended))
    gone[#gone + 1] = order.who
  end
  if #gone > 0 then call('HDEL', key, unpack(gone)) end
  return {permits, keep, LEASE, max(0, free - permits)}
end

local answers = {now}
for i, ask in ipairs(order.asks) do
  answers[i + 1] = ask.settled and rate(KEYS[i + 1], ask) or flight(KEYS[i + 1], ask)
end
return answers
