# The debug build checks more as it runs, on every hart.
arch aarch64   mode debug   harts 4   within 150s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
