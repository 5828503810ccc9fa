# No HPET: the clock is calibrated against something else.
arch x86_64   machine "hpet=off"   within 90s
stages
