# No random numbers from the processor, none from the firmware: the kernel stays where it is linked and says so.
arch aarch64   machine "dtb-randomness=off"   qemu "-cpu cortex-a57"   within 90s
expect /kernel: runs where it is linked: kaslr=off, or nothing random to choose by/
expect /entropy: not seeded/
expect /^vectra:\/\$ /
