-- SPDX-License-Identifier: MIT
-- Run by script.lua.
os.exit(7)
