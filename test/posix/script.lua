-- SPDX-License-Identifier: MIT
-- What the interpreter needs of the system: files, require, processes, time, errors, memory. Run by the group posix.
local checks, failed = 0, 0
local function check(good, text)
    checks = checks + 1
    if good then
        print("ok " .. checks .. " - " .. text)
    else
        failed = failed + 1
        print("not ok " .. checks .. " - " .. text)
    end
end

check(2 ^ 53 == 9007199254740992, "numbers")
check(string.format("%.14g %d %5.2f", 0.1, 42, 3.14159) == "0.1 42  3.14", "string.format")
check(("x"):rep(1000000):len() == 1000000, "a million bytes")
local file = io.open("/etc/version")
check(file ~= nil and file:read("a"):match("^VectraOS"), "io.open and read")
check(file:seek("set", 2) == 2 and file:read(4) == "ctra", "seek")
file:close()
local none, message, code = io.open("/no/such/file")
check(none == nil and code == 2 and message:match("No such file"), "an error has its number and its words")
package.path = "/test/?.lua;" .. package.path
check(require("module").answer == 42, "require of a file")
local n = 0
for line in io.lines("/test/module.lua") do n = n + 1 end
check(n > 3, "io.lines")
local pipe = io.popen("lua -v")
check(pipe:read("a"):match("^Lua 5%.4"), "io.popen")
check(pipe:close() == true, "its status")
local good, how, status = os.execute("lua /test/exit.lua")
check(not good and how == "exit" and status == 7, "os.execute")
check(os.time() > 1600000000 and os.clock() >= 0, "os.time and os.clock")
check(os.date("!%Y-%m-%d", 951782400) == "2000-02-29", "os.date")
check(os.getenv("PATH") ~= nil and os.getenv("NO_SUCH") == nil, "os.getenv")
check(not pcall(error, "x") and select(2, pcall(error, { 1 }))[1] == 1, "errors")
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
check(co() + co() + co() == 6, "coroutines")
local t = {}
for i = 1, 200000 do t[i] = { i } end
t = nil
collectgarbage()
check(collectgarbage("count") < 2000, "the collector gives memory back")
check(math.sin(1) == 0.8414709848078965, "math")
check(utf8.char(0x20ac) == "\xe2\x82\xac", "utf8")
-- files that are made
local name = os.tmpname()
check(name:match("^/tmp/") and io.open(name) ~= nil, "os.tmpname")
local out = assert(io.open(name, "w"))
check(out:write("one\n", 2, "\nthree\n") == out and out:seek() == 12, "io.open for writing")
check(out:seek("set", 4) == 4 and out:write("TWO") and out:close(), "writing in the middle")
local lines = {}
for line in io.lines(name) do lines[#lines + 1] = line end
check(table.concat(lines, ",") == "one,TWOhree", "reading it back")
local more = assert(io.open(name, "a+"))
more:write("four\n")
more:seek("set")
check(more:read("a") == "one\nTWOhree\nfour\n", "appending")
more:close()
check(os.rename(name, "/tmp/made.lua") and io.open(name) == nil, "os.rename")
local not_there = select(3, os.rename(name, "/tmp/other"))
check(not_there == 2, "os.rename of nothing")
local made = assert(io.open("/tmp/made.lua", "w"))
made:write("return { answer = 43 }\n")
made:close()
package.path = "/tmp/?.lua;" .. package.path
check(require("made").answer == 43 and dofile("/tmp/made.lua").answer == 43, "require of a file in /tmp")
check(os.execute("lua /tmp/made.lua") == true, "a program reads what this one wrote")
check(os.remove("/tmp/made.lua") and io.open("/tmp/made.lua") == nil, "os.remove")
check(select(3, os.remove("/tmp/made.lua")) == 2, "os.remove of nothing")
local scratch = io.tmpfile()
scratch:write(("x"):rep(100000))
scratch:seek("set")
check(#scratch:read("a") == 100000, "io.tmpfile")
scratch:close()
check(select(3, io.open("/etc/new", "w")) == 30, "what is read-only says so")
print("# done: " .. checks - failed .. " passed, " .. failed .. " failed")
os.exit(failed == 0)
