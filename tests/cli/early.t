# Entropy that is not there yet: said after two seconds, and nothing weaker is taken in its place.  (Under a sanitizer leaks are
# not looked for here: that does not work under strace.)
@need command:strace
    $ strace -f -o /dev/null true 2>/dev/null && strace -f -o trace -e trace=getrandom -e inject=getrandom:error=EAGAIN:delay_enter=2500000:when=1..2 \
      -E ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" cvmbox attest collect --tee sample --gpus none -o b.json
    2| cvmbox: waiting for the kernel to gather random bytes
    2| cvmbox attest: cannot <*>random bytes: <*>
    ? 4
    $ strace -f -o trace -e trace=getrandom -e inject=getrandom:error=EAGAIN:when=1 -E ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
      cvmbox attest collect --tee sample --gpus none -o c.json >/dev/null && \
      sed -n 's/.*getrandom.*, \(GRND_NONBLOCK\|0\)) = .*/\1/p' trace | head -n 2
    GRND_NONBLOCK
    0
