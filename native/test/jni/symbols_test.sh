#!/bin/sh
# symbols_test.sh LIBRARY FLOOR: the library exports JNI_OnLoad and nothing else, needs no other library than glibc's,
# and asks for no glibc newer than FLOOR.
set -eu
library=$1
floor=$2
failed=0

exported=$(objdump -T "$library" | awk '/^[0-9a-f]/ && !/\*UND\*/ && $NF != "" { print $NF }' | sort -u | tr '\n' ' ')
if [ "$exported" != "JNI_OnLoad " ]; then
    echo "exported: $exported(expected: JNI_OnLoad)"
    failed=1
fi

needed=$(objdump -p "$library" | awk '$1 == "NEEDED" { print $2 }')
for name in $needed; do
    case $name in
    libc.so.6 | ld-linux-*.so.*) ;;
    *)
        echo "needed at run time: $name (expected: glibc only)"
        failed=1
        ;;
    esac
done

versions=$(objdump -T "$library" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV)
newest=$(echo "$versions" | tail -n 1)
echo "newest glibc version asked for: $newest (floor: $floor)"
if [ "$(printf '%s\n%s\n' "$newest" "$floor" | sort -V | tail -n 1)" != "$floor" ]; then
    echo "above the floor:"
    objdump -T "$library" | grep "GLIBC_$newest"
    failed=1
fi
exit $failed
