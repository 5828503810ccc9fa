# One hart more than the kernel takes is reported and left out.
arch x86_64   harts 65   within 120s
expect /entries of the firmware tables were left out/
expect /harts: 64 of 64 run/
expect /\[stage\] services: ok/
