# A broker for the whole file, which the last command ends.

    $ printf 'first key' >1; printf 'second key' >2; for i in 1 2; do cvmbox kbs put -q --store store default/key/$i $i >/dev/null; done; \
        echo '{"schema":"cvmbox.policy/1","kinds":["sample"],"measurements":["abcde"],"resources":[{"path":"default/key/*"}]}' >policy.json; \
        cvmbox kbs put -q --store store private/key/1 1 >/dev/null; \
        (cvmbox kbs serve --store store --policy policy.json --allow-sample -l 127.0.0.1:0 --ready-fd 3 3>url 2>log >/dev/null & echo $! >pid); \
        for i in $(seq 100); do [ -s url ] && break; sleep 0.05; done; grep -c http://127.0.0.1: url
    1

# one, to standard output and into a file

    $ cvmbox fetch-key kbs:///default/key/1 --kbs $(cat url) --tee sample
    first key
    $ cvmbox fetch-key kbs:///default/key/1 --kbs $(cat url) --tee sample -o out && stat -c %a out && cmp out 1
    kbs:///default/key/1 -> out (9 bytes)
    600
    $ cvmbox fetch-key kbs:///default/key/2 --kbs $(cat url) --tee sample -o out; cmp out 1
    2| cvmbox fetch-key: 'out' exists already
    2| cvmbox fetch-key: hint: <*>
    $ cvmbox fetch-key --key-type=rsa kbs:///default/key/2 --kbs=$(cat url) --tee=sample -f -o out && cmp out 2
    kbs:///default/key/2 -> out (10 bytes)
    $ CVMBOX_KBS=$(cat url) AA_KBC_PARAMS=cc_kbc::http://127.0.0.1:1 cvmbox fetch-key --tee sample kbs:///default/key/1
    first key
    $ AA_KBC_PARAMS=cc_kbc::$(cat url) cvmbox fetch-key --tee sample kbs+resource:///default/key/1
    first key

# several share one attestation

    $ : >log; mkdir dir; cvmbox fetch-key kbs:///default/key/1 kbs:///default/key/2 --kbs $(cat url) --tee sample -o dir && cmp dir/1 1 && cmp dir/2 2; grep -c /kbs/v0/attest log
    kbs:///default/key/1 -> dir/1 (9 bytes)
    kbs:///default/key/2 -> dir/2 (10 bytes)
    1
    $ cvmbox fetch-key --json kbs:///default/key/1 kbs:///default/key/2 --kbs $(cat url) --tee sample -o a -o b
    {"schema":"cvmbox.fetch-key/1",<*>"result":"pass","exit_code":0,"checks":[],"claims":{"resources":[{"uri":"kbs:///default/key/1","output":"a","size":9},{"uri":"kbs:///default/key/2","output":"b","size":10}]},"insecure":[]}
    $ cvmbox fetch-key kbs:///default/key/1 kbs:///default/key/2 --kbs $(cat url) --tee sample
    2| cvmbox fetch-key: 2 resources and 0 outputs are named
    2| cvmbox fetch-key: hint: give -o once per resource, in their order, or -o FOLDER
    ? 2
    $ cvmbox fetch-key kbs:///default/key/1 kbs:///default/key/none --kbs $(cat url) --tee sample -o c -o d; ls c d
    2| cvmbox fetch-key: cannot fetch 'kbs:///default/key/none': broker 'http://127.0.0.1:<*>' answered 404 PluginInternalError: 'Plugin internal error: resource 'default/key/none' is not in the store'
    2| cvmbox fetch-key: hint: there is no such resource, or the broker's storage failed: check REPOSITORY/TYPE/TAG
    2| ls: <*>'c'<*>
    2| ls: <*>'d'<*>
    ? 2

# refusals say who said what

    $ cvmbox fetch-key kbs:///private/key/1 --kbs $(cat url) --tee sample
    2| cvmbox fetch-key: cannot fetch 'kbs:///private/key/1': broker <*> answered 401 PolicyDeny: 'Access denied by policy: no rule of the policy names 'private/key/1''
    2| cvmbox fetch-key: hint: the broker's resource policy refused; the token says: cpu0 <*>
    ? 6
    $ cvmbox fetch-key kbs:///private/key/1 --kbs $(cat url) --tee sample --json -o x
    {"schema":"cvmbox.fetch-key/1",<*>"result":"error","exit_code":6,<*>"error":{"message":"cannot fetch<*>","hint":"<*>"}}
    2| <*>
    2| <*>
    ? 6
    $ cvmbox fetch-key kbs:///default/key/1 --kbs http://127.0.0.1:1 --tee sample
    2| cvmbox fetch-key: cannot send to 'http://127.0.0.1:1/kbs/v0/auth': connect: <*>
    2| cvmbox fetch-key: hint: <*>
    ? 4
    $ cvmbox fetch-key kbs:///default/key/1 --kbs http://192.0.2.1 --tee sample
    2| cvmbox fetch-key: cannot use 'http://192.0.2.1/kbs/v0/auth': plain http:// is for loopback addresses only
    2| cvmbox fetch-key: hint: <*>
    ? 2
    $ cvmbox fetch-key kbs:///default/key/1 --kbs $(cat url) --tee sample --offline
    2| cvmbox fetch-key: cannot reach 'http://127.0.0.1:<*>/kbs/v0/auth': --offline was given
    ? 3
    $ cvmbox fetch-key kbs:///default/key --kbs $(cat url) --tee sample
    2| cvmbox fetch-key: 'default/key' is not a resource name: wanted REPOSITORY/TYPE/TAG
    2| cvmbox fetch-key: hint: <*>
    ? 2
    $ cvmbox fetch-key kbs:///default/key/1 --tee sample
    2| cvmbox fetch-key: no key broker is named
    2| cvmbox fetch-key: hint: give --kbs URL (or set CVMBOX_KBS, or AA_KBC_PARAMS=cc_kbc::URL)
    ? 2

# no secret at -vv, and no answer from a stopped broker

    $ cvmbox fetch-key -vv kbs:///default/key/1 --kbs $(cat url) --tee sample -o quiet 2>&1 | grep -c -e 'first key' -e eyJ -e kbs-session-id
    0
    ? 1
    $ kill $(cat pid); sleep 0.3; cvmbox fetch-key kbs:///default/key/1 --kbs $(cat url) --tee sample 2>/dev/null
    ? 4
