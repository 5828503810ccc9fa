# Every hart is entered at EL2 and drops to EL1 by itself; the firmware is called with SMC.
arch aarch64   harts 4   machine "virtualization=on"   within 120s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
