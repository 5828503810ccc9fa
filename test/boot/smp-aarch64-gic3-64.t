# As many harts as the kernel takes, each with its own redistributor.
arch aarch64   gic 3   harts 64   within 180s
expect /harts: 64 of 64 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
