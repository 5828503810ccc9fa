# A processor with pointer authentication: Tasks sign the same address each with a key of its own. The status of each is seven
# bits of its signature; that eight are alike is one in 2^49.
arch aarch64   exec "for i in 1 2 3 4 5 6 7 8; do /test/tasks sign; printf '%s ' $?; done"   within 60s
expect /^(\d+) (?!\1 \1 \1 \1 \1 \1 \1 )\d+ \d+ \d+ \d+ \d+ \d+ \d+ /
exit 0
