-- SPDX-License-Identifier: MIT
-- Words by how often they come, by way of a module beside this file.
package.path = arg[0]:match("^(.*)/[^/]*$") .. "/?.lua;" .. package.path
local count = require("count")

local text = "the ring has two ends and the task has the ring and the ring has the task"
for _, entry in ipairs(count.words(text)) do
    print(string.format("%-5s %d", entry.word, entry.times))
end
