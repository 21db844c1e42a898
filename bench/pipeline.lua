-- Sends N requests in one write: wrk ... -s pipeline.lua URL -- N
local batch

function init(args)
    batch = string.rep(wrk.format("GET", "/"), tonumber(args[1]))
end

function request()
    return batch
end
