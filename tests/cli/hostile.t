# What a hostile host, a careless script or a full pipe does to a call: found by attacking the binary.
    $ head -c 100000 /dev/zero >plain; cvmbox encrypt-model -q plain -o m.tink --new-key key >/dev/null
# the key is never overwritten by the model
    $ cvmbox encrypt-model plain -o both --new-key ./both -f; ls both
    2| cvmbox encrypt-model: key and model cannot be the same file, 'both'
    2| ls: cannot access 'both': No such file or directory
    ? 2
    $ ln -s key link; cvmbox encrypt-model plain -o link --key key -f
    2| cvmbox encrypt-model: key and model cannot be the same file, 'link'
    ? 2
    $ sum=$(sha256sum <key); cvmbox decrypt-model m.tink -o ../"$(basename "$PWD")"/key --key key -f; [ "$sum" = "$(sha256sum <key)" ] && echo untouched
    untouched
    2| cvmbox decrypt-model: key and plaintext cannot be the same file, '../<*>/key'
# closed standard descriptors are not reused for files: no message lands in the model
    $ cvmbox decrypt-model fd:5 -v -v -o out --key key 5<m.tink <&- 2>&- >&-; echo $?; cvmbox decrypt-model -q fd:5 -o out2 --key key 5<m.tink <&- 2>&- >/dev/null && cmp out2 plain && echo equal
    4
    equal
    $ cvmbox kbs put --store store a/b/c - <&-
    2| cvmbox kbs: cannot read 'standard input': read: Bad file descriptor
    ? 4
# a pipe that nobody writes to ends with the time limit, as one object with --json
    $ mkfifo pipe; cvmbox decrypt-model pipe -o x --key key --timeout 1
    2| cvmbox decrypt-model: the time limit of 1 s has passed
    ? 4
    $ cvmbox attest verify pipe --nonce 00 --timeout 1 --json 2>/dev/null | python3 -c 'import json, sys; j = json.load(sys.stdin); print(j["result"], j["exit_code"], j["error"]["message"])'
    error 4 the time limit of 1 s has passed
# a captured machine of pipes and devices
    $ R=r/sys/kernel/config/tsm/report/recorded; mkdir -p $R; echo sev_guest >$R/provider; : >$R/inblob; mkfifo $R/outblob; cvmbox attest collect --tee snp --sysroot r -o b
    2| cvmbox attest: cannot collect snp evidence: <*>outblob' is neither a file nor a folder
    ? 5
# a file whose size lies is not encrypted as an empty one
    $ mkdir folder; ln -s /proc/self/environ folder/x; cvmbox encrypt-model -q folder --key key -o folder.enc; ls folder.enc
    2| cvmbox encrypt-model: cannot encrypt 'folder': <*>became longer while it was read<*>
    2| ls: cannot access 'folder.enc': No such file or directory
    ? 2
# nothing that an engine started keeps the decrypted model
    $ cvmbox run-infer --model m.tink --key key -- sh -c 'setsid sh -c "sleep 0.5; head -c 4 {model} >escaped" & sleep 0.2; exit 7' 2>/dev/null; echo $?; sleep 0.6; ls escaped
    7
    2| ls: cannot access 'escaped': No such file or directory
    ? 2
# text from outside cannot steer a terminal
    $ printf '%s.%s.AAAA' "$(printf '{"alg":"ES256"}' | base64 -w0 | tr -d =)" "$(printf '{"a":"\\u009b31m\\u202e\\u007f"}' | base64 -w0 | tr -d =)" >jwt; \
      cvmbox attest show jwt --json | grep -o 'u009b31m.u202e.u007f'
    u009b31m\u202e\u007f
# a file size limit is an error like a full disk
    $ (ulimit -f 10; cvmbox decrypt-model -q m.tink --key key -o big); ls big
    2| cvmbox decrypt-model: cannot decrypt 'm.tink': <*>File too large<*>
    2| ls: cannot access 'big': No such file or directory
    ? 2
