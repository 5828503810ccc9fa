# SPDX-License-Identifier: MIT
VECTORS := 1
