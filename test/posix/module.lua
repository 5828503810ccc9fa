-- SPDX-License-Identifier: MIT
-- Required by script.lua.
local M = {}
M.answer = 42
return M
