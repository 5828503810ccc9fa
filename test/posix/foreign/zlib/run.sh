# SPDX-License-Identifier: MIT
cd /tmp
example | tail -n 3
minigzip <"$DATA" >/tmp/data.gz
zcat /tmp/data.gz | sha256sum | cut -c1-64
minigzip -d </tmp/data.gz | sha256sum | cut -c1-64
