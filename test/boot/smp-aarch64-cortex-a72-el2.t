# Plain ARMv8.0 harts that are entered at EL2, and the older interrupt controller.
arch aarch64   gic 2   harts 4   qemu "-cpu cortex-a72"   machine "virtualization=on"   within 120s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
