    $ head -c 3000000 /dev/zero | tr '\0' x >plain && cvmbox encrypt-model -q --new-key key.json plain -o m.tink >/dev/null
# a segment that was changed: nothing appears, no temporary file stays
    $ cp m.tink bad.tink && printf Z | dd of=bad.tink bs=1 seek=1500000 conv=notrunc status=none && cvmbox decrypt-model -k key.json bad.tink -o out; ls -A
    bad.tink
    key.json
    m.tink
    plain
    2| cvmbox decrypt-model: cannot decrypt 'bad.tink': segment 1 is not authentic
    2| cvmbox decrypt-model: hint: the file was changed after it was encrypted
    $ cvmbox decrypt-model -k key.json bad.tink -o out
    2| cvmbox decrypt-model: cannot decrypt 'bad.tink': segment 1 is not authentic
    2| cvmbox decrypt-model: hint: the file was changed after it was encrypted
    ? 1
# to a pipe: what stood before it, and how much that was
    $ cvmbox decrypt-model -k key.json bad.tink -o - >part; echo $?; cmp -n 1048520 part plain && stat -c %s part
    1
    1048520
    2| cvmbox decrypt-model: cannot decrypt 'bad.tink': after 1048520 bytes were written: segment 1 is not authentic
    2| cvmbox decrypt-model: hint: the file was changed after it was encrypted
    $ cat bad.tink | cvmbox decrypt-model -q -k key.json - -o - | wc -c
    1048520
# cut, at a segment border and elsewhere; and with something added
    $ head -c 2097152 m.tink >cut && cvmbox decrypt-model -k key.json cut -o out
    2| cvmbox decrypt-model: cannot decrypt 'cut': segment 1 (the last one) is not authentic
    2| cvmbox decrypt-model: hint: the file was cut, or changed, after it was encrypted
    ? 1
    $ head -c 50 m.tink >cut && cvmbox decrypt-model -k key.json cut -o out
    2| cvmbox decrypt-model: cannot decrypt 'cut': 'cut' is 50 bytes, a Tink stream of this key has at least 56
    ? 5
    $ (cat m.tink; echo) >long && cvmbox decrypt-model -k key.json long -o out 2>/dev/null
    ? 1
    $ : >empty && cvmbox decrypt-model -k key.json empty -o out
    2| cvmbox decrypt-model: cannot decrypt 'empty': cannot tell the format of 'empty' from its 0 first bytes and the key
    2| cvmbox decrypt-model: hint: was the right key given (a Tink file needs its keyset)?  name the format with --format
    ? 5
# another key
    $ cvmbox encrypt-model -q --new-key other.json plain -o o.tink >/dev/null && cvmbox decrypt-model -k other.json m.tink -o out
    2| cvmbox decrypt-model: cannot decrypt 'm.tink': segment 0 is not authentic
    2| cvmbox decrypt-model: hint: another key, other associated data (a file out of a folder has its path as --aad-file), or it was changed or cut
    ? 1
    $ ls out
    2| ls: cannot access 'out': No such file or directory
    ? 2
# an expected digest, right and wrong
    $ cvmbox decrypt-model -k key.json m.tink -o out --sha256 "$(sha256sum <plain | cut -c 1-64)" && cmp out plain && rm out
    2.9 MiB, tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key <*>
    decrypted to 'out': the plaintext has the expected SHA-256
    $ cvmbox decrypt-model -k key.json m.tink -o - --sha256 "$(sha256sum <m.tink | cut -c 1-64)" | wc -c
    0
    2| cvmbox decrypt-model: cannot decrypt 'm.tink': after 0 bytes were written: the plaintext has SHA-256 <*>, wanted <*>
# the output has to be new; it is for its owner only
    $ echo mine >out && cvmbox decrypt-model -k key.json m.tink -o out
    2| cvmbox decrypt-model: cannot decrypt 'm.tink': 'out' exists already
    2| cvmbox decrypt-model: hint: remove it, choose another name, or give -f if it may be replaced
    ? 2
    $ cvmbox decrypt-model -f -k key.json bad.tink -o out 2>/dev/null; cat out
    mine
    $ cvmbox decrypt-model --json -f -k key.json m.tink -o out && cmp out plain && stat -c %a out
    {"schema":"cvmbox.decrypt-model/1","tool_version":"<*>","time":"<*>","result":"pass","exit_code":0,"checks":[],"claims":{"format":"tink","cipher":"aes256-gcm-hkdf-sha256, 1048576-byte segments","authenticated":true,"key_id":<*>,"bytes_in":3000088,"bytes_out":3000000},"insecure":[]}
    600
    $ cvmbox decrypt-model --json -f -k key.json bad.tink -o out
    {"schema":"cvmbox.decrypt-model/1",<*>"result":"fail","exit_code":1,"checks":[],"claims":{"format":"tink",<*>"authenticated":false,<*>},"insecure":[],"error":{"message":"cannot decrypt 'bad.tink': segment 1 is not authentic","hint":"the file was changed after it was encrypted"}}
    2| cvmbox decrypt-model: cannot decrypt 'bad.tink': segment 1 is not authentic
    2| cvmbox decrypt-model: hint: the file was changed after it was encrypted
    ? 1
# a folder
    $ mkdir -p snap/sub && echo one >snap/a && echo two >snap/b && echo sub >snap/sub/c && cvmbox encrypt-model -q --key key.json snap -o enc >/dev/null
    $ cvmbox decrypt-model -k key.json enc -o plain.d && diff -r snap plain.d && stat -c %a plain.d plain.d/a
    3 files, 12 bytes, tink (aes256-gcm-hkdf-sha256, 1048576-byte segments), key <*>
    decrypted to 'plain.d': authentic
    700
    600
    $ mv enc/a.tink t && mv enc/b.tink enc/a.tink && mv t enc/b.tink && cvmbox decrypt-model -k key.json enc -o d2
    2| cvmbox decrypt-model: cannot decrypt 'enc': file 'a': it is not the file that the manifest lists under this name, or was changed
    ? 1
    $ mv enc/a.tink t && mv enc/b.tink enc/a.tink && mv t enc/b.tink && echo x >enc/x && cvmbox decrypt-model -k key.json enc -o d2
    2| cvmbox decrypt-model: cannot decrypt 'enc': file 'x' is not listed in the manifest
    ? 1
    $ rm enc/x enc/sub/c.tink && cvmbox decrypt-model -k key.json enc -o d2
    2| cvmbox decrypt-model: cannot decrypt 'enc': file 'sub/c.tink' is missing
    ? 1
    $ rm enc/cvmbox-manifest.tink && cvmbox decrypt-model -k key.json enc -o d2
    2| cvmbox decrypt-model: cannot decrypt 'enc': the folder holds no 'cvmbox-manifest.tink'
    2| cvmbox decrypt-model: hint: is it a folder made by encrypt-model?  Single files in it open one by one
    ? 5
    $ ls -A | grep d2; printf a >aad && cvmbox decrypt-model -q -k key.json --aad-file aad enc/a.tink -o -
    one
# formats that are known, and cannot be opened
    $ printf 'age-encryption.org/v1\n-> X25519 abc\n' >f.age && cvmbox decrypt-model -k key.json f.age -o x
    2| cvmbox decrypt-model: cannot decrypt 'f.age': 'f.age' is an age file: this format cannot be opened
    2| cvmbox decrypt-model: hint: formats: tink, openssl-enc, gcm
    ? 3
    $ cvmbox decrypt-model -k key.json https://example.com/m.tink -o x
    2| cvmbox decrypt-model: cannot decrypt 'https://example.com/m.tink': 'https://example.com/m.tink': models cannot be read from URLs yet
    2| cvmbox decrypt-model: hint: pipe it in: curl -fsS URL | cvmbox ... -
    ? 3
# usage
    $ cvmbox decrypt-model m.tink -o x
    2| cvmbox decrypt-model: one of --key and --pass-file is needed
    ? 2
    $ cvmbox decrypt-model --json -k key.json m.tink -o - | cut -c 1-34
    {"schema":"cvmbox.decrypt-model/1"
    $ cvmbox decrypt-model -k key.json --format gcm enc -o x
    2| cvmbox decrypt-model: cannot decrypt 'enc': 'enc' is a folder: folders are Tink files, without --pass-file, --sha256 and --aad-file
    ? 2
    $ cvmbox decrypt-model -k key.json m.tink
    2| cvmbox decrypt-model: no output given
    2| cvmbox decrypt-model: hint: -o PATH, or -o - for standard output
    ? 2
# openssl enc, made here
    @need command:openssl
    $ openssl rand 100 | tr -d '\0\n\r' >demo.key && openssl enc -aes-256-cbc -pbkdf2 -kfile demo.key -in plain -out plain.enc
    $ cvmbox decrypt-model -k demo.key plain.enc -o e1
    2| cvmbox decrypt-model: cannot decrypt 'plain.enc': format 'openssl-enc' authenticates nothing: whoever held the file could have changed it
    2| cvmbox decrypt-model: hint: give the SHA-256 of the plaintext with --sha256, or take the risk with --insecure-unauthenticated
    ? 1
    $ cvmbox decrypt-model -k demo.key --insecure-unauthenticated plain.enc -o e1 && cmp e1 plain
    2.9 MiB, openssl-enc (aes-256-cbc)
    insecure: --insecure-unauthenticated was given
    decrypted to 'e1': NOT authenticated
    2| cvmbox decrypt-model: warning: nothing authenticates this format: whoever held the file could have changed the plaintext
    $ cvmbox decrypt-model --insecure-unauthenticated -q -k demo.key plain.enc -o - 2>/dev/null | cmp - plain
    $ cvmbox decrypt-model -q -k demo.key --sha256 "$(sha256sum <plain | cut -c 1-64)" plain.enc -o e2 && cmp e2 plain
    2.9 MiB, openssl-enc (aes-256-cbc)
    decrypted to 'e2': the plaintext has the expected SHA-256
    $ printf Z | dd of=plain.enc bs=1 seek=1500000 conv=notrunc status=none; cvmbox decrypt-model -k demo.key --sha256 "$(sha256sum <plain | cut -c 1-64)" plain.enc -o e3
    2| cvmbox decrypt-model: cannot decrypt 'plain.enc': the plaintext has SHA-256 <*>, wanted <*>
    ? 1
    $ ls e1 e3
    e1
    2| ls: cannot access 'e3': No such file or directory
    ? 2
# a key file that openssl cuts short: the very same key, and a warning
    $ printf 'short\0and the rest' >cut.key && openssl enc -aes-256-ctr -pbkdf2 -kfile cut.key -in plain -out cut.enc 2>/dev/null
    $ cvmbox decrypt-model -k cut.key --cipher aes-256-ctr --insecure-unauthenticated cut.enc -o e4 >/dev/null && cmp e4 plain
    2| cvmbox decrypt-model: warning: nothing authenticates this format: whoever held the file could have changed the plaintext
    2| cvmbox decrypt-model: warning: the key file has 18 bytes, the passphrase rules of openssl enc use the first 5 of them: that is weak
    $ printf 'a\0and the rest' >none.key && cvmbox decrypt-model -k none.key --insecure-unauthenticated cut.enc -o e5
    2| cvmbox decrypt-model: cannot decrypt 'cut.enc': the key file gives openssl's -kfile less than 2 bytes of passphrase in its first line
    2| cvmbox decrypt-model: hint: openssl refuses this key file, too (a line ends at a newline or a zero byte): nothing can have been encrypted with it
    ? 1
# base64, -pass file: and the old key derivation
    $ printf 'pass phrase\r\n' >pp && openssl enc -aes-128-cbc -md md5 -a -pass file:pp -in plain -out b64.enc 2>/dev/null
    $ cvmbox decrypt-model -q --pass-file pp --cipher aes-128-cbc --md md5 --no-pbkdf2 --insecure-unauthenticated b64.enc -o - 2>/dev/null | cmp - plain
    $ cvmbox decrypt-model -q -k pp --cipher aes-128-cbc --md md5 --no-pbkdf2 --sha256 "$(sha256sum <plain | cut -c 1-64)" b64.enc -o e6 2>/dev/null
    ? 1
    $ cvmbox decrypt-model -k pp --cipher aes-256-xts --insecure-unauthenticated plain.enc -o e7
    2| cvmbox decrypt-model: cannot decrypt 'plain.enc': cipher 'aes-256-xts' is not supported
    2| cvmbox decrypt-model: hint: aes-128-, aes-192- or aes-256- with cbc, ctr, cfb or ofb
    ? 3
# nonce-prefixed GCM has to be named
    @need vectors
    $ V=$CVMBOX_VECTORS/crypto-formats/gcm-nonce-prefix; cvmbox decrypt-model -k $V/key.bin --format gcm $V/model.bin.enc -o g1 && sha256sum <g1 | cut -c 1-64 | cmp - $V/model.bin.sha256
    2.9 KiB, gcm (aes-256-gcm)
    decrypted to 'g1': authentic
    $ V=$CVMBOX_VECTORS/crypto-formats/gcm-nonce-prefix; cvmbox decrypt-model -k $V/key.bin --format gcm $V/bad-tag.enc -o - | wc -c
    0
    2| cvmbox decrypt-model: cannot decrypt '<*>bad-tag.enc': after 0 bytes were written: the message is not authentic
    2| cvmbox decrypt-model: hint: another key, or the file was changed or cut
