# SPDX-License-Identifier: MIT
zstd -q -T4 -B524288 "$DATA" -o /tmp/data.zst
zstd -q -t /tmp/data.zst
zstd -q -dc /tmp/data.zst | sha256sum | cut -c1-64
zstd -q -3 --rm /tmp/data.zst -o /tmp/twice.zst
zstd -q -dc /tmp/twice.zst | zstd -q -dc | sha256sum | cut -c1-64
ls /tmp
