# SPDX-License-Identifier: MIT
# DATA is a file. Prints checksums: of what comes back, and of the compressed file.
cp "$DATA" /tmp/data
bzip2 -k /tmp/data
bzip2 -t /tmp/data.bz2
bzip2 -dc /tmp/data.bz2 | sha256sum | cut -c1-64
sha256sum /tmp/data.bz2 | cut -c1-64
bzip2 -f /tmp/data
ls /tmp
