# The debug build checks more as it runs, the page accounting among it.
mode debug   within 120s
stages
