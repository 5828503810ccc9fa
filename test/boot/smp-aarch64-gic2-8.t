# As many harts as the older interrupt controller can name. They are raised through its distributor.
arch aarch64   gic 2   harts 8   within 120s
expect /harts: 8 of 8 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
