-- Sends the requests of a file in turn over all connections of wrk, and reports in one line of JSON.
local requests = {}
local sent = 0

-- A request is a line: path, headers as `name: value` and a JSON body `{…}`, separated by tabs.
function init(args)
  for line in io.lines(args[1]) do
    local path, headers, body = nil, {}, nil
    for part in line:gmatch("[^\t]+") do
      if path == nil then
        path = part
      elseif part:sub(1, 1) == "{" then
        body = part
      else
        local name, value = part:match("^(.-): (.*)$")
        headers[name] = value
      end
    end
    requests[#requests + 1] = wrk.format(body and "POST" or "GET", path, headers, body)
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

-- Statuses are counted by the program that answers: a row may want 404.
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"failures":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f}',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
