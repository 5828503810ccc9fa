# SPDX-License-Identifier: MIT
# What the notes can do, from a shell.
cd /mnt
echo milk > shopping
echo bread >> shopping
cat shopping
ls
mv shopping list
cp list copy
ls
exec 3< list
rm list
cat <&3
exec 3<&-
cat list
mkdir folder
dd if=/dev/zero of=large bs=4096 count=2 2> /dev/null
wc -c < large
mv copy large
cat large
df /mnt | wc -l
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do echo $i > n$i; done
echo one > more
ls | wc -l
rm n*
ls
