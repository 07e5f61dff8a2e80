# The store of the key broker, and its server's life.

    $ cvmbox kbs list --store store
    2| cvmbox kbs: there is no store 'store'
    2| cvmbox kbs: hint: 'cvmbox kbs put' makes it
    ? 3
    $ printf 'the key' >key; cvmbox kbs put --store store default/key/1 key
    resource: default/key/1
    size:     7
    stored
    $ stat -c '%a %n' store store/resource/default/key/1
    700 store
    600 store/resource/default/key/1
    $ cvmbox kbs put --store store default/key/1 key
    2| cvmbox kbs: resource 'default/key/1' exists already
    2| cvmbox kbs: hint: -f replaces it; <*>
    ? 2
    $ printf 'another key' | cvmbox kbs put --store store -f default/key/1 -
    resource: default/key/1
    size:     11
    stored
    $ cvmbox kbs put --store store kbs:///default/key/2 key >/dev/null; cvmbox kbs list --store store
    default/key/1                                  11
    default/key/2                                   7
    $ cvmbox kbs list --store store --json
    {"schema":"cvmbox.kbs.list/1",<*>"result":"pass","exit_code":0,"checks":[],"claims":{"resources":[{"resource":"default/key/1","size":11},{"resource":"default/key/2","size":7}]},"insecure":[]}
    $ cvmbox kbs get --store store default/key/1
    another key
    $ cvmbox kbs get --store store default/key/1 -o out; stat -c %a out; cmp out <(printf 'another key')
    resource: default/key/1
    size:     11
    output:   out
    600
    $ cvmbox kbs get --store store default/key/1 -o out
    2| cvmbox kbs: 'out' exists already
    2| cvmbox kbs: hint: <*>
    ? 2

# names are checked, never joined to a path

    $ cvmbox kbs put --store store ../../etc/x key
    2| cvmbox kbs: '../../etc/x' is not a resource name: wanted REPOSITORY/TYPE/TAG
    2| cvmbox kbs: hint: <*>
    ? 2
    $ cvmbox kbs get --store store default/key
    2| cvmbox kbs: 'default/key' is not a resource name: wanted REPOSITORY/TYPE/TAG
    2| cvmbox kbs: hint: <*>
    ? 2
    $ cvmbox kbs rm --store store default/key/2 && cvmbox kbs rm --store store default/key/2
    removed default/key/2
    2| cvmbox kbs: resource 'default/key/2' is not in the store
    ? 3
    $ cvmbox kbs get --store store default/key/2 --json -o x | grep -o '"exit_code":3.*"error":{"message":"[^"]*"'
    "exit_code":3,"checks":[],"claims":{},"insecure":[],"error":{"message":"resource 'default/key/2' is not in the store"

# a store that others can read is no store

    $ chmod 755 store; cvmbox kbs list --store store
    2| cvmbox kbs: cannot use store 'store': its owner is user <*> and its mode 0755, wanted user <*> and 0700
    2| cvmbox kbs: hint: chmod 700 'store'
    ? 1
    $ chmod 700 store; cvmbox kbs token-key --store store | grep -c -e '"kty": "EC"' -e '"alg": "ES256"' -e '"d"'
    2
    $ stat -c %a store/token-key.pem
    600

# kill -9 while a resource is replaced again and again: one of the two, whole

    $ head -c 300000 /dev/zero | tr '\0' a >a; head -c 300000 /dev/zero | tr '\0' b >b; cvmbox kbs put -f --store store kill/me/1 a -q >/dev/null; \
        for i in 1 2 3 4 5 6 7 8 9 10; do (while :; do cvmbox kbs put -f --store store kill/me/1 b -q; cvmbox kbs put -f --store store kill/me/1 a -q; done) >/dev/null 2>&1 & p=$!; \
        sleep 0.0$i; kill -9 $p; wait $p 2>/dev/null; cvmbox kbs get --store store kill/me/1 -o now -f >/dev/null && { cmp -s now a || cmp -s now b; } || echo broken; done; \
        cvmbox kbs list --store store | grep kill
    kill/me/1                                  300000

# what the server wants before it listens

    $ cvmbox kbs serve --store store
    2| cvmbox kbs: --policy FILE is missing: it says which measurements get secrets
    2| cvmbox kbs: hint: 'cvmbox attest verify --print-policy' prints one to start from
    ? 2
    $ echo '{"schema":"cvmbox.policy/1","kinds":["sample"],"measurements":["abcde"]}' >policy.json; echo '{"schema":"cvmbox.policy/1","kind":[]}' >bad.json
    $ cvmbox kbs serve --store store --policy bad.json
    2| cvmbox kbs: cannot read the policy 'bad.json': <*>unknown member 'kind'<*>
    ? 5
    $ cvmbox kbs serve --store store --policy policy.json -l 0.0.0.0:0
    2| cvmbox kbs: cannot listen on '0.0.0.0:0': without TLS only loopback addresses are allowed
    2| cvmbox kbs: hint: give --tls-cert and --tls-key, or listen on 127.0.0.1
    ? 2
    $ cvmbox kbs serve --store nowhere --policy policy.json
    2| cvmbox kbs: there is no store 'nowhere'
    2| cvmbox kbs: hint: <*>
    ? 3

# SIGTERM ends it, without complaint; each line says that sample evidence is taken

    $ cvmbox kbs serve --store store --policy policy.json --allow-sample -l 127.0.0.1:0 --ready-fd 3 3>url 2>log & p=$!; \
        for i in $(seq 100); do [ -s url ] && break; sleep 0.05; done; cvmbox fetch-key -q --kbs "$(cat url)" --tee sample kbs:///default/key/1; \
        echo; kill $p; wait $p; echo "status $?"; sed 's/:[0-9][0-9]* / /g' log
    another key
    status 0
    cvmbox kbs: [--allow-sample] listening on http://127.0.0.1:<*>
    cvmbox kbs: <*>Z [--allow-sample] 127.0.0.1 POST /kbs/v0/auth 200 challenge, tee=sample
    cvmbox kbs: <*>Z [--allow-sample] 127.0.0.1 POST /kbs/v0/attest 200 accepted, tee=sample
    cvmbox kbs: <*>Z [--allow-sample] 127.0.0.1 GET /kbs/v0/resource/default/key/1 200 released, 11 bytes
    insecure: --allow-sample was given
    $ timeout 20 cvmbox kbs serve --store store --policy policy.json -l 127.0.0.1:0 --timeout 1 -q; echo $?
    0
