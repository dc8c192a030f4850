-- What wrk sends: events that differ, one a request, or as many a request as the variable EVENTS says. With the variable
-- BROWSERS, as that many different browsers send them, every fifth event from a campaign.

local events = tonumber(os.getenv("EVENTS") or "1")
local browsers = tonumber(os.getenv("BROWSERS") or "0")
local counter = 0
local agent = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36"
local campaign = ',"properties":{"referrer":"https://www.google.de/","utm_source":"google","utm_medium":"cpc",' ..
    '"utm_campaign":"lamps-%d","timezone":"Europe/Berlin"}'

local function event()
    counter = counter + 1
    return string.format(
        '{"site_id":"shop-%d","event_type":"page_view","path":"/products/%d","user_id":"user-%d",' ..
        '"timestamp":"2026-01-%02dT%02d:%02d:%02d.000Z"%s}',
        counter % 5, counter % 5000, (counter * 7919) % 100000,
        counter % 28 + 1, counter % 24, counter % 60, (counter * 7) % 60,
        browsers > 0 and counter % 5 == 0 and string.format(campaign, counter % 50) or "")
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
    if browsers > 0 then
        headers["User-Agent"] = string.format(agent, counter % browsers)
        headers["Accept-Language"] = "de-DE,de;q=0.9,en;q=0.8"
        headers["Origin"] = "https://shop.example"
        headers["Referer"] = "https://shop.example/"
        headers["Sec-CH-UA-Platform"] = '"Android"'
        headers["Sec-CH-UA-Mobile"] = "?1"
    end
    if events == 1 then
        return wrk.format("POST", nil, headers, event())
    end
    turn = turn % #bodies + 1
    return wrk.format("POST", nil, headers, bodies[turn])
end
