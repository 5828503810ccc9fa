# Plain ARMv8.0 harts: exclusive loads and stores are the only atomics.
arch aarch64   harts 4   qemu "-cpu cortex-a57"   within 120s
expect /harts: 4 of 4 run/
expect /\[stage\] services: ok/   expect /^vectra:\/\$ /
