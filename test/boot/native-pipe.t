# A program over libvectra writes where its descriptors lead: into a pipe, into a file.
exec "blk list | tr a-z A-Z; blk list >/tmp/x; wc -c </tmp/x; caps | head -n 1 | wc -l" output "BLK: NO DISKS\n14\n1\n"
