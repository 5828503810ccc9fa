# The debug build checks more, among it the order of locks.
mode debug   within 120s
stages
