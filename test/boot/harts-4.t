# A boot to the prompt on a machine with 4 hart(s).
harts 4   within 90s
stages
