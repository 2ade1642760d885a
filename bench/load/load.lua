-- What wrk sends: the requests of a file in turn, over all connections; and what it reports: one line of JSON.
local requests = {}
local sent = 0

-- A request is a line: path, then headers as `name: value`, separated by tabs.
function init(args)
  for line in io.lines(args[1]) do
    local path, headers = nil, {}
    for part in line:gmatch("[^\t]+") do
      if path == nil then
        path = part
      else
        local name, value = part:match("^(.-): (.*)$")
        headers[name] = value
      end
    end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"failures":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f}',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000
  ))
end
