-- What wrk sends: events that differ, one a request, or as many a request as the variable EVENTS says.

local events = tonumber(os.getenv("EVENTS") or "1")
local counter = 0

local function event()
    counter = counter + 1
    return string.format(
        '{"site_id":"shop-%d","event_type":"page_view","path":"/products/%d","user_id":"user-%d",' ..
        '"timestamp":"2026-01-%02dT%02d:%02d:%02d.000Z"}',
        counter % 5, counter % 5000, (counter * 7919) % 100000,
        counter % 28 + 1, counter % 24, counter % 60, (counter * 7) % 60)
end

local headers = { ["Content-Type"] = "application/json" }
local bodies = {}
local turn = 0

function init()
    if events == 1 then
        return
    end
    for body = 1, 40 do
        local parts = {}
        for part = 1, events do
            parts[part] = event()
        end
        bodies[body] = "[" .. table.concat(parts, ",") .. "]"
    end
end

function request()
    if events == 1 then
        return wrk.format("POST", nil, headers, event())
    end
    turn = turn % #bodies + 1
    return wrk.format("POST", nil, headers, bodies[turn])
end
