-- SPDX-License-Identifier: MIT
local count = {}

-- A list of { word, times }, most often first, then by the alphabet.
function count.words(text)
    local times, list = {}, {}
    for word in text:gmatch("%a+") do
        times[word] = (times[word] or 0) + 1
    end
    for word, n in pairs(times) do
        list[#list + 1] = { word = word, times = n }
    end
    table.sort(list, function(a, b)
        return a.times > b.times or (a.times == b.times and a.word < b.word)
    end)
    return list
end

return count
